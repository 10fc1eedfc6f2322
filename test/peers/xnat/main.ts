import { parseArgs } from "node:util";
import { practiceStudies } from "../practice-studies.ts";
import { startXnat } from "./start-xnat.ts";

/**
 * The practice XNAT as a process of its own: `--port N --project ID --username U --password P --work-every-ms N --switch name=value`.
 * Prints one JSON line when it is ready.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8088" },
    project: { type: "string", multiple: true, default: ["practice"] },
    username: { type: "string", default: "radferry" },
    password: { type: "string", default: "radferry" },
    "work-every-ms": { type: "string", default: "1000" },
    switch: { type: "string", multiple: true, default: [] },
  },
});

const xnat = await startXnat({
  studies: practiceStudies(),
  projects: values.project,
  username: values.username,
  password: values.password,
  port: Number(values.port),
  workEveryMs: Number(values["work-every-ms"]),
});
for (const text of values.switch) turn(text);
const { url, username, password } = xnat;
process.stdout.write(`${JSON.stringify({ url, username, password, projects: values.project })}\n`);
for (const end of ["SIGTERM", "SIGINT"]) process.once(end, () => void xnat[Symbol.asyncDispose]());

/** Values keep the type of the usual one; what is no number and no truth value cannot be turned from here. */
function turn(text: string): void {
  const [name = "", value = ""] = text.split("=");
  const usual: unknown = Reflect.get(xnat.switches, name);
  if (typeof usual !== "string" && typeof usual !== "number" && typeof usual !== "boolean")
    throw new RangeError(`no switch that can be turned by name: ${name}`);
  const turned = typeof usual === "boolean" ? value === "true" : typeof usual === "number" ? Number(value) : value;
  Reflect.set(xnat.switches, name, turned);
}
