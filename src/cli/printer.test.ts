import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createPrinter } from "./printer.ts";
import { tableLines } from "./table.ts";

/** What is printed to one who looks at it. */
function collecting(json = false) {
  const written = { stdout: "", stderr: "" };
  const output = (to: keyof typeof written) =>
    new Writable({
      write(chunk, _, done) {
        written[to] += String(chunk);
        done();
      },
    });
  return { written, printer: createPrinter({ stdout: output("stdout"), stderr: output("stderr") }, json) };
}

/** As a scanner may call itself. */
const TITLE = "CT1\n\x1b[2J\u009b1m\tX";

it("leaves a terminal nothing to obey of what peers write, and a row one line", async () => {
  const { written, printer } = collecting();
  const rows = (async function* () {
    yield [TITLE, "open"];
  })();
  await printer.list([TITLE], () => tableLines(["Sender", "State"], rows));
  await printer.document({}, () => [TITLE]);
  printer.note(TITLE);
  expect(written.stdout.split("\n").map((line) => line.trimEnd())).toEqual([
    expect.stringMatching(/^Sender +State$/),
    "CT1..[2J.1m\tX  open",
    "CT1..[2J.1m\tX",
    "",
  ]);
  expect(written.stderr).toBe("CT1..[2J.1m\tX\n");
});

it("gives a program what peers wrote as it is", async () => {
  const { written, printer } = collecting(true);
  await printer.document({ sender: TITLE }, () => []);
  expect(JSON.parse(written.stdout)).toEqual({ sender: TITLE });
});
