import { GatewayError } from "../errors/gateway-error.ts";
import type { Output, World } from "./world.ts";
import { isSystemError } from "./write-whole-file.ts";

/** Thrown into a verb whose reader went away, as `head` does. */
export class OutputClosed extends Error {}

/** What a verb says on stdout: one JSON document under `--json`, else text; and remarks on stderr. */
export interface Printer {
  readonly json: boolean;
  /** Something stands on stdout already: an error has to go to stderr alone. */
  readonly hasPrinted: boolean;
  /** The one document, or the lines that say the same to people. */
  document(document: unknown, lines: () => Iterable<string>): Promise<void>;
  /**
   * The one document is an array, written as its items come; or the lines. Answers the number of items.
   * @param whenEmpty what people are told on stderr where there is nothing; stdout stays empty, for who counts its lines
   */
  list<T>(
    items: AsyncIterable<T> | Iterable<T>,
    lines: (items: AsyncIterable<T>) => AsyncIterable<string>,
    whenEmpty?: string,
  ): Promise<number>;
  /** As it is. */
  text(chunk: string): Promise<void>;
  /** One line on stderr. */
  note(line: string): void;
}

/** Peers write AE titles and texts as they like: a terminal would obey what is in them, and a line end would make a line of its own. */
function printable(line: string): string {
  return line.replaceAll(/[^\P{Cc}\t]/gu, ".");
}

/** @throws OutputClosed when nobody reads any more; GatewayError FILE_NOT_WRITABLE, such as on a full disk */
function write(output: Output, chunk: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(chunk, (error) => {
      if (!error) resolve();
      else reject("code" in error && error.code === "EPIPE" ? new OutputClosed() : unwritten(error));
    });
  });
}

/** Sent into a file, stdout fails as files do. */
function unwritten(error: Error): Error {
  return isSystemError(error)
    ? new GatewayError("FILE_NOT_WRITABLE", { file: "stdout", reason: error.code }, error)
    : error;
}

export function createPrinter({ stdout, stderr }: Pick<World, "stdout" | "stderr">, json: boolean): Printer {
  let hasPrinted = false;

  const text = async (chunk: string): Promise<void> => {
    hasPrinted = true;
    if (chunk !== "") await write(stdout, chunk);
  };

  async function array<T>(items: AsyncIterable<T>): Promise<void> {
    let opened = false;
    try {
      for await (const item of items) {
        await text(`${opened ? ",\n" : "[\n"}${JSON.stringify(item)}`);
        opened = true;
      }
    } finally {
      // Whatever cut the list short, what stands on stdout stays one document. An error before the first item is the document.
      if (opened) await text("\n]\n");
    }
    if (!opened) await text("[]\n");
  }

  return {
    json,
    get hasPrinted() {
      return hasPrinted;
    },
    text,
    async document(document, lines) {
      if (json) return text(`${JSON.stringify(document, undefined, 2)}\n`);
      for (const line of lines()) await text(`${printable(line)}\n`);
    },
    async list(items, lines, whenEmpty) {
      let count = 0;
      async function* counted() {
        for await (const item of items) {
          count += 1;
          yield item;
        }
      }
      if (json) await array(counted());
      else for await (const line of lines(counted())) await text(`${printable(line)}\n`);
      if (count === 0 && whenEmpty !== undefined && !json) stderr.write(`${whenEmpty}\n`);
      return count;
    },
    note(line) {
      stderr.write(`${printable(line)}\n`);
    },
  };
}
