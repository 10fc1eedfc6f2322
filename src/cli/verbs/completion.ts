import { Argument, type Command } from "commander";
import type { Cli } from "../cli.ts";
import { candidatesFor } from "../completion.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";

/** Each asks the program itself what may follow; where it knows nothing, the shell offers files. */
const SCRIPTS = {
  bash: `_radferry() {
  local IFS=$'\\n'
  COMPREPLY=($(radferry complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _radferry radferry
`,
  fish: `complete -c radferry -a '(radferry complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
  zsh: `#compdef radferry
_radferry() {
  local -a candidates
  candidates=(\${(f)"$(radferry complete -- "\${words[@]:1:$((CURRENT-1))}" 2>/dev/null)"})
  if (( \${#candidates} )); then compadd -a candidates; else _files; fi
}
compdef _radferry radferry
`,
} as const;
type Shell = keyof typeof SCRIPTS;

const HELP = `
For bash put it where completions are, or into ~/.bashrc: source <(radferry completion bash)
`;

export function addCompletionVerbs(program: Command, cli: Cli): void {
  program
    .command("completion")
    .description("a script that completes verbs and options in your shell")
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .addHelpText("after", HELP + examples("completion bash > /etc/bash_completion.d/radferry"))
    .action(
      cli.verb(async (shell: Shell): Promise<ExitCode> => {
        await cli.printer.text(SCRIPTS[shell]);
        return EXIT.fine;
      }),
    );
  program
    .command("complete", { hidden: true })
    .argument("[words...]", "those typed so far, the one at the cursor last")
    .helpOption(false)
    .action(
      cli.verb(async (words: readonly string[]): Promise<ExitCode> => {
        await cli.printer.text(
          candidatesFor(program, words)
            .map((word) => `${word}\n`)
            .join(""),
        );
        return EXIT.fine;
      }),
    );
}
