"""dbt's messages, put together only when somebody hears them; those that are heard say the same."""

from functools import cached_property
from typing import Any

from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager


def put_together_when_heard() -> None:
    """Have dbt describe a step only when its description is asked for, for as long as this process runs.

    dbt tells of every step at the level of debugging, with all that it knows of the node, and puts each of these
    messages together twice before it looks whether anybody listens at that level. It took a fifth of dbt's time.
    """
    describe = BaseEvent.__init__

    def keep(event: BaseEvent, *arguments: Any, **known: Any) -> None:
        vars(event)["known"] = (arguments, known)

    def described(event: BaseEvent) -> Any:
        arguments, known = vars(event).pop("known")
        describe(event, *arguments, **known)
        return vars(event)["pb_msg"]

    when_asked = cached_property(described)
    when_asked.__set_name__(BaseEvent, "pb_msg")
    for name, replacement in (("__init__", keep), ("pb_msg", when_asked)):
        setattr(BaseEvent, name, replacement)
    manager = OfWhatIsHeard()
    vars(manager).update(vars(get_event_manager()))
    ctx_set_event_manager(manager)


class OfWhatIsHeard(EventManager):
    """Gives messages to dbt's loggers as dbt does, but for those of a level at which none of them listens."""

    def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *more: Any, **how: Any) -> None:
        """Tell of an event, at its own level or another."""
        is_heard = any(logger.level is EventLevel.DEBUG for logger in self.loggers)
        if is_heard or (level or e.level_tag()) is not EventLevel.DEBUG:
            super().fire_event(e, level, *more, **how)
