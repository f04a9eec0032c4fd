-- Every reference, which may span columns, is found in the other table; one that is empty in part refers to nothing.
{% test refers_to(model, columns, to, to_columns=none) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where num_nulls({{ columns | join(', ') }}) = 0
    except
    select {{ (to_columns or columns) | join(', ') }}
    from {{ to }}
{% endtest %}
