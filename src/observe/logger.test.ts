import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { LogFields } from "../units/logger.ts";
import { errorFields } from "./error-fields.ts";
import { createLogger, type LogLevel } from "./logger.ts";

const SECRETS = ["DOE^JANE", "4711-0042", "1.2.276.0.7230010.3.1.2"];

function listening(level: LogLevel = "debug", identifiers?: ReadonlySet<string>) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { lines, logger: createLogger({ level, destination, ...(identifiers === undefined ? {} : { identifiers }) }) };
}

describe("createLogger", () => {
  it("writes one JSON document a line with a UTC time, and nothing about process or host", () => {
    const { lines, logger } = listening();
    logger.info("job ended", { job: "j1", state: "delivered", code: undefined });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event: "job ended",
      job: "j1",
      state: "delivered",
    });
  });

  it("leaves out what is below its level", () => {
    const { lines, logger } = listening("warn");
    logger.debug("a");
    logger.info("b");
    logger.warn("c");
    logger.error("d");
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["c", "d"]);
  });

  it("lets no identifier out, whatever a caller hands it", () => {
    const { lines, logger } = listening("debug", new Set(SECRETS));
    const careless: Record<string, unknown> = {
      patient: SECRETS[0],
      job: SECRETS[1],
      code: SECRETS[2],
      state: { deep: { deeper: SECRETS } },
      [SECRETS[0] ?? ""]: 1,
      err: new Error(SECRETS.join(" "), { cause: new Error(SECRETS[0]) }),
    };
    logger.error(`study ${SECRETS[2]} failed`, careless as LogFields);
    expect(lines).toHaveLength(1);
    for (const secret of SECRETS) expect(lines.join()).not.toContain(secret);
  });
});

describe("errorFields", () => {
  it("names code and class of our own errors, and what caused them", () => {
    const refused = Object.assign(new Error(`connect to ${SECRETS[0]}`), { code: "ECONNREFUSED" });
    expect(errorFields(new GatewayError("CONNECTION_FAILED", {}, refused))).toMatchObject({
      code: "CONNECTION_FAILED",
      class: "transient",
      causes: "ECONNREFUSED",
    });
  });

  it("tells where a stranger was thrown, by file and line", () => {
    const { code, causes, frames } = errorFields(new TypeError(SECRETS[0]));
    expect({ code, causes }).toEqual({ code: "INTERNAL", causes: "TypeError" });
    expect(frames).toMatch(/^logger\.test\.ts:\d+/);
  });

  const nested = new Error(SECRETS[0], {
    cause: new GatewayError("TIMED_OUT", {}, new RangeError(SECRETS[1], { cause: `text ${SECRETS[2]}` })),
  });
  const disguised = new Error(`gone\n    at ${SECRETS[0]} (4711-0042.ts:1:1)`);
  const misnamed = Object.assign(new Error("x"), { name: SECRETS[0], code: SECRETS[1] });
  const circular = new Error(SECRETS[0]);
  circular.cause = circular;

  it.each<[string, unknown]>([
    ["nested causes", nested],
    ["a message that looks like a stack", disguised],
    ["a name and a code that are data", misnamed],
    ["a cause that is its own", circular],
    ["a text", `text ${SECRETS[0]}`],
    ["nothing", undefined],
  ])("lets no message out: %s", (_, thrown) => {
    const { lines, logger } = listening();
    logger.error("it failed", errorFields(thrown));
    const line = lines.join();
    for (const secret of SECRETS) expect(line).not.toContain(secret);
    expect(line).not.toContain("[redacted]");
    expect(JSON.parse(line)).toMatchObject({ code: "INTERNAL", class: "permanent" });
  });

  it("stops after a few causes", () => {
    expect(String(errorFields(circular).causes).split(" < ")).toHaveLength(5);
  });
});
