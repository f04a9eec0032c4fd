"""Makes Airflow's database for a server installation, where Airflow's own commands do the rest."""

from carehouse.airflow_local.metadata import make_database
from carehouse.settings import Settings

make_database(Settings.load())
