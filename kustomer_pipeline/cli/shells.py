"""Completion scripts, as bash, zsh and fish want them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from .arguments import NAMES
from .command_values import Command, Takes
from .parser import SCRIPT

_BASH = """\
# Completion of {script} for bash, as `{script} completion bash` writes it.
_kustomer_pipeline() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command= project=. words= given=0 i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
            --project) project=${{COMP_WORDS[i + 1]}}; ((i++)) ;;
            {valued}) ((i++)) ;;
            -*) ;;
            *) if [[ -z $command ]]; then command=${{COMP_WORDS[i]}}; else ((given++)); fi ;;
        esac
    done
    case "$command $before" in
{values}
    esac
    if [[ -z $words ]]; then
        case $command in
            "") words="{commands} --help --version" ;;
{options}
        esac
        if [[ $word != -* ]]; then
            case "$command $given" in
{positional}
            esac
        fi
    fi
    [[ $words == @syncs ]] &&
        words=$("${{COMP_WORDS[0]}}" completion {names} --project "$project" --defs "$KUSTOMER_DEFS" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -F _kustomer_pipeline {script}
"""


def bash_script(commands: Sequence[Command]) -> str:
    """For bash: `source <(kustomer-pipeline completion bash)`, or a file where bash-completion looks."""
    valued = sorted({name for one in commands for takes in one.options if takes.kind != "none" for name in takes.names})
    valued.remove("--project")
    values = [
        f"        {_cases(one.name, takes)}) {_bash_value(takes)} ;;"
        for one in commands
        for takes in one.options
        if takes.kind != "none"
    ]
    options = [
        f'            {one.name}) words="{" ".join(name for takes in one.options for name in takes.names)}" ;;'
        for one in commands
    ]
    positional = [
        f'                "{one.name} {"" if takes.many else place}"{"*" if takes.many else ""}) words="{words}" ;;'
        for one in commands
        for place, takes in enumerate(one.positional)
        if (words := _bash_words(takes))
    ]
    return _BASH.format(
        script=SCRIPT,
        names=NAMES,
        valued="|".join(valued),
        values="\n".join(values),
        commands=" ".join(one.name for one in commands),
        options="\n".join(options),
        positional="\n".join(positional),
    )


def _cases(command: str, takes: Takes) -> str:
    return "|".join(f'"{command} {name}"' for name in takes.names)


def _bash_value(takes: Takes) -> str:
    if words := _bash_words(takes):
        return f'words="{words}"'
    if takes.kind in ("file", "folder"):
        return f'COMPREPLY=($(compgen -{"d" if takes.kind == "folder" else "f"} -- "$word")); return'
    return "return"


def _bash_words(takes: Takes) -> str:
    return "@syncs" if takes.kind == "sync" else " ".join(takes.choices)


# --- zsh ----------------------------------------------------------------------------------------------------------


def zsh_script(commands: Sequence[Command]) -> str:
    """For zsh: a file `_kustomer-pipeline` in a folder of `fpath`."""
    return "\n".join(_zsh_lines(commands)) + "\n"


def _zsh_lines(commands: Sequence[Command]) -> Iterator[str]:
    yield f"#compdef {SCRIPT}"
    yield f"# Completion of {SCRIPT} for zsh, as `{SCRIPT} completion zsh` writes it."
    yield "_kustomer_pipeline_syncs() {"
    yield "    local -a names"
    asked = f'{SCRIPT} completion {NAMES} --project "${{opt_args[--project]:-.}}" --defs "$KUSTOMER_DEFS"'
    yield f'    names=(${{(f)"$({asked} 2>/dev/null)"}})'
    yield "    compadd -a names"
    yield "}"
    yield "_kustomer_pipeline() {"
    yield "    local context state state_descr line"
    yield "    typeset -A opt_args"
    yield "    _arguments -C '(-h --help)'{-h,--help}'[show help]' '--version[say which version this is]' \\"
    yield "        '1:command:->command' '*::argument:->arguments'"
    yield "    case $state in"
    yield "    command)"
    yield "        local -a commands"
    yield "        commands=("
    for one in commands:
        yield f"            {shlex.quote(f'{one.name}:{one.does}')}"
    yield "        )"
    yield "        _describe command commands ;;"
    yield "    arguments)"
    yield "        case $words[1] in"
    for one in commands:
        yield f"        {one.name}) _arguments \\"
        specs = [*map(_zsh_option, one.options), *(_zsh_positional(*pair) for pair in enumerate(one.positional, 1))]
        yield " \\\n".join(f"            {spec}" for spec in specs) + " ;;"
    yield "        esac ;;"
    yield "    esac"
    yield "}"
    called = f'[ "$funcstack[1]" = "_{SCRIPT}" ]'  # from a folder of fpath, and not sourced
    yield f'if {called}; then _kustomer_pipeline "$@"; else compdef _kustomer_pipeline {SCRIPT}; fi'


def _zsh_option(takes: Takes) -> str:
    text = re.sub(r"([\[\]:\\])", r"\\\1", takes.help)
    value = "" if takes.kind == "none" else f":value:{_zsh_value(takes)}"
    if len(takes.names) == 1:
        return shlex.quote(f"{takes.names[0]}[{text}]{value}")
    return f"'({' '.join(takes.names)})'{{{','.join(takes.names)}}}{shlex.quote(f'[{text}]{value}')}"


def _zsh_positional(place: int, takes: Takes) -> str:
    return shlex.quote(f"{'*' if takes.many else place}:{takes.kind}:{_zsh_value(takes)}")


def _zsh_value(takes: Takes) -> str:
    if takes.kind == "choices":
        return f"({' '.join(takes.choices)})"
    return {"sync": "_kustomer_pipeline_syncs", "file": "_files", "folder": "_files -/"}.get(takes.kind, " ")


# --- fish ---------------------------------------------------------------------------------------------------------


def fish_script(commands: Sequence[Command]) -> str:
    """For fish: a file in ~/.config/fish/completions."""
    return "\n".join(_fish_lines(commands)) + "\n"


def _fish_lines(commands: Sequence[Command]) -> Iterator[str]:
    yield f"# Completion of {SCRIPT} for fish, as `{SCRIPT} completion fish` writes it."
    yield f"complete -c {SCRIPT} -f"
    yield f"complete -c {SCRIPT} -n __fish_use_subcommand -s h -l help -d 'show help'"
    yield f"complete -c {SCRIPT} -n __fish_use_subcommand -l version -d 'say which version this is'"
    for one in commands:
        yield f"complete -c {SCRIPT} -n __fish_use_subcommand -a {one.name} -d {_fish(one.does)}"
        seen = f"complete -c {SCRIPT} -n '__fish_seen_subcommand_from {one.name}'"
        for takes in one.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in takes.names)
            yield f"{seen} {names} -d {_fish(takes.help)}{_fish_value(takes, option=True)}"
        for takes in one.positional:
            if value := _fish_value(takes, option=False):
                yield f"{seen}{value}"


def _fish_value(takes: Takes, *, option: bool) -> str:
    needs = " -x" if option else ""
    if takes.kind == "choices":
        return f"{needs} -a {_fish(' '.join(takes.choices))}"
    if takes.kind == "sync":
        return f"""{needs} -a '({SCRIPT} completion {NAMES} --defs "$KUSTOMER_DEFS" 2>/dev/null)'"""
    if takes.kind == "folder":
        return " -x -a '(__fish_complete_directories)'"
    if takes.kind == "file":
        return " -r -F"
    return " -x" if takes.kind == "value" and option else ""


def _fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
