import type { Command } from 'commander';
import { GatewayError } from '../errors.js';

/** What can be typed: the commands, and the long options of each. */
interface Words {
  readonly commands: readonly {
    readonly name: string;
    readonly description: string;
    readonly options: readonly string[];
  }[];
}

const SHELLS = { bash, zsh, fish } as const;

/** Adds `completion` to the commands; it completes all that were added before it. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion <shell>')
    .description('print what makes a shell complete this command: bash, zsh or fish')
    .addHelpText(
      'after',
      `
Examples:
  manager-gateway completion bash > /etc/bash_completion.d/manager-gateway
  manager-gateway completion zsh > "\${fpath[1]}/_manager-gateway"
  manager-gateway completion fish > ~/.config/fish/completions/manager-gateway.fish`,
    )
    .action((shell: string) => {
      if (!isKnown(shell)) {
        throw new GatewayError(
          'config-invalid',
          `completion: found "${shell}"; allowed: ${Object.keys(SHELLS).join(', ')}`,
        );
      }
      process.stdout.write(SHELLS[shell](wordsOf(program)));
    });
}

function isKnown(shell: string): shell is keyof typeof SHELLS {
  return Object.hasOwn(SHELLS, shell);
}

function wordsOf(program: Command): Words {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [...command.options.flatMap(({ long }) => long ?? []), '--help'],
  }));
  return { commands };
}

/** Options that take a file complete files; everything else is words. */
function bash({ commands }: Words): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words='${options.join(' ')}' ;;`);
  return `_manager_gateway() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=''
  case "$previous" in
    -c|--config|--ca-cert|-o|--out) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  else case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _manager_gateway manager-gateway
`;
}

function zsh({ commands }: Words): string {
  const described = commands.map(
    ({ name, description }) => `    '${name}:${quoted(description).replaceAll(':', '\\:')}'`,
  );
  const cases = commands.map(({ name, options }) => `    ${name}) compadd -- ${options.join(' ')} ;;`);
  return `#compdef manager-gateway
_manager_gateway() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[CURRENT-1]" in -c|--config|--ca-cert|-o|--out) _files; return ;; esac
  case "$words[2]" in
${cases.join('\n')}
  esac
}
_manager_gateway "$@"
`;
}

function fish({ commands }: Words): string {
  const lines = commands.flatMap(({ name, description, options }) => [
    `complete -c manager-gateway -n __fish_use_subcommand -f -a ${name} -d '${quoted(description)}'`,
    ...options.map(
      (option) =>
        `complete -c manager-gateway -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

/** For within single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", '’');
}
