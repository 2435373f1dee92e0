#!/bin/sh
# Runs once before Airflow's services start, and again at each `up`: everything here may be repeated.
set -eu

airflow db migrate

# The password file of the simple auth manager; readable by Airflow alone.
umask 077
python -c '
import json, os, pathlib
path = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
path.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}), encoding="utf-8")
'

# Connections, pools and variables of airflow_settings.yaml, with the addresses of this network.
python -m include.local.airflow_settings
