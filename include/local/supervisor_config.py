"""What supervisord reads: its own configuration, and one section for each program."""

from pathlib import Path
from typing import Final

from include.config import PROJECT_ROOT, Settings
from include.errors import ConfigurationError
from include.local import leftovers
from include.local.program import Program

_DAEMON: Final = """\
[supervisord]
logfile={log_dir}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={home}/supervisord.pid
childlogdir={log_dir}
directory={root}
identifier=realtime-data-platform
silent=true

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files={home}/programs/*.conf
"""

_PROGRAM: Final = """\
[program:{name}]
command={command}
directory={root}
environment={environment}
{user}autostart=false
autorestart={autorestart}
exitcodes=0
startsecs={start_seconds}
startretries=5
stopwaitsecs={stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log_dir}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=3
"""


def _quoted(argument: str) -> str:
    # supervisord expands %(...)s, and splits the command line as a shell does.
    escaped = argument.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted_value(name: str, value: str) -> str:
    # Unlike a command line, supervisord's environment knows no escapes inside quotes.
    quote = "'" if '"' in value else '"'
    if quote in value or "\n" in value:
        raise ConfigurationError(f"{name} holds both kinds of quotes, or a line break: no supervised part can have it")
    return f"{quote}{value.replace('%', '%%')}{quote}"


def daemon_sections(settings: Settings, home: Path, socket: Path) -> str:
    """Configuration of supervisord itself."""
    text = _DAEMON.format(home=home, log_dir=settings.log_dir, socket=socket, root=PROJECT_ROOT)
    return text.replace("%", "%%")


def program_section(program: Program, settings: Settings) -> str:
    """Section of one program.

    Raises:
        ConfigurationError: If a variable has a value that supervisord cannot pass on.
    """
    environment = {
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        leftovers.MARK: leftovers.mark(settings),
        **program.environment,
    }
    return _PROGRAM.format(
        name=program.part.value,
        command=" ".join(_quoted(argument) for argument in program.command),
        root=PROJECT_ROOT,
        environment=",".join(f"{key}={_quoted_value(key, value)}" for key, value in environment.items()),
        user=f"user={program.user}\n" if program.user else "",
        autorestart="true" if program.keep_running else "false",
        start_seconds=program.start_seconds,
        stop_seconds=program.stop_seconds,
        log_dir=settings.log_dir,
    )
