import { expect, it } from "vitest";
import type { Settings } from "../config/settings.ts";
import { neverAborted } from "../units/abort.ts";
import { hookChecks } from "./hook-checks.ts";

type Hook = NonNullable<Settings["projects"][number]["hook"]>;

function answerOf(hook: Partial<Hook>, isIsolated: boolean | undefined = undefined): Promise<string> {
  const projects = [{ name: "without" }, { name: "lung-ct", hook }] as unknown as Settings["projects"];
  const launch = isIsolated === undefined ? undefined : { isIsolated, commandOf: (own: readonly string[]) => own };
  const [check, ...others] = hookChecks({ projects }, launch && (async () => launch));
  expect(check?.what).toBe("project lung-ct can run its processing hook");
  expect(others).toEqual([]);
  return check?.examine(neverAborted()) ?? Promise.reject(new Error("no check"));
}

it.each([
  ["none", true, "yes, in namespaces of its own, without network"],
  ["allowed", true, "yes, in namespaces of its own, with the network"],
  ["allowed", false, "yes, as a group of processes: this machine gives it no namespaces of its own"],
] as const)("doctor tells how a hook with network %s is held, in namespaces: %s", async (network, isIsolated, said) => {
  expect(await answerOf({ command: ["/bin/sh"], network }, isIsolated)).toBe(said);
});

it("doctor fails for a hook whose program is not there", async () => {
  const asked = answerOf({ command: ["/no/such/program"], network: "allowed" });
  await expect(asked).rejects.toMatchObject({ code: "HOOK_PROGRAM_UNUSABLE" });
});
