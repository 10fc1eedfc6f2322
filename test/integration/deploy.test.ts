import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { METRICS } from "../../src/units/metrics.ts";
import { findPeer, requirePeer } from "../peers/require-peer.ts";
import { runCli } from "../support/cli.ts";
import { readDockerfile } from "../support/dockerfile.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";

const run = promisify(execFile);
const DEPLOY = join(ROOT, "deploy");
const text = (name: string): string => readFileSync(join(DEPLOY, name), "utf8");

describe("the systemd unit", () => {
  it.runIf(requirePeer("systemd-analyze"))("is one that systemd takes", async () => {
    await using folder = await temporaryFolder();
    const unit = join(folder.path, "radferry.service");
    // What it starts has to be there, and the user.
    const here = text("systemd/radferry.service")
      .replaceAll("/opt/radferry", ROOT)
      .replace(/^User=.*\nGroup=.*\n/m, "");
    await writeFile(unit, here);
    const { stderr } = await run(findPeer("systemd-analyze") ?? "", ["verify", "--man=no", unit]);
    expect(stderr.split("\n").filter((line) => line.includes("radferry"))).toEqual([]);
  });

  it("reloads by the signal that the service knows, leaves time to stop, and may write where it must alone", () => {
    const unit = text("systemd/radferry.service");
    for (const line of [
      "ExecReload=/bin/kill -HUP $MAINPID",
      "TimeoutStopSec=60",
      "StateDirectory=radferry",
      "ProtectSystem=strict",
      "NoNewPrivileges=yes",
      "ReadWritePaths=-/srv/research",
      "User=radferry",
    ])
      expect(unit.split("\n")).toContain(line);
    expect(accessSync(join(ROOT, "bin", "radferry"), constants.X_OK)).toBeUndefined();
  });
});

describe("the Dockerfile", () => {
  const stages = readDockerfile(text("Dockerfile"));
  const last = stages.at(-1);
  const of = (name: string) => last?.instructions.find((each) => each.name === name);

  it("builds from an image of a pinned version, and copies what there is", () => {
    const names = stages.flatMap(({ name }) => name ?? []);
    for (const { image } of stages)
      expect(names.includes(image) || /^node:24\.\d+\.\d+-\w+-slim$/.test(image)).toBe(true);
    const copied = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === "COPY"));
    for (const { flags, words } of copied) {
      if (flags.from !== undefined) expect(names).toContain(flags.from);
      else for (const source of words.slice(0, -1)) expect(existsSync(join(ROOT, source)), source).toBe(true);
    }
  });

  it("lets through to the build what it copies", () => {
    const admitted = text("Dockerfile.dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    const sources = stages.flatMap(({ instructions }) =>
      instructions.flatMap(({ name, flags, words }) =>
        name === "COPY" && flags.from === undefined ? words.slice(0, -1) : [],
      ),
    );
    expect([...new Set(sources)].sort()).toEqual(admitted.sort());
  });

  it("runs the program without root, with a check of its health", () => {
    const entry = of("ENTRYPOINT")?.words ?? [];
    expect(entry).toEqual(["/opt/radferry/bin/radferry"]);
    expect(existsSync(join(ROOT, entry[0]?.replace("/opt/radferry/", "") ?? ""))).toBe(true);
    expect(of("USER")?.text).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    expect(of("HEALTHCHECK")?.text).toContain("/health/live");
    expect(of("CMD")?.words).toEqual(["serve"]);
  });
});

const service = z.object({
  image: z.string().regex(/:\d+(\.\d+)+$/, "of a pinned version"),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal("ALL")]),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]),
  volumes: z.array(z.string()),
  networks: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  secrets: z.array(z.union([z.string(), z.looseObject({ source: z.string() })])).default([]),
  environment: z.record(z.string(), z.string()).default({}),
});
const compose = z.strictObject({
  name: z.string(),
  "x-orthanc": z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.strictObject({})),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

describe("the compose file", () => {
  const site = compose.parse(parse(text("compose/compose.yaml"), { merge: true }));
  const services = Object.entries(site.services);

  it("names everything that it uses, and nothing else", () => {
    const used = (items: readonly string[]) => [...new Set(items)].sort();
    const volumes = services.flatMap(([, { volumes }]) => volumes.map((each) => each.split(":")[0] ?? ""));
    expect(used(volumes.filter((each) => !each.startsWith(".")))).toEqual(Object.keys(site.volumes).sort());
    for (const file of volumes.filter((each) => each.startsWith(".")))
      expect(existsSync(join(DEPLOY, "compose", file))).toBe(true);
    expect(used(services.flatMap(([, { networks }]) => networks))).toEqual(Object.keys(site.networks).sort());
    const secrets = services.flatMap(([, { secrets }]) =>
      secrets.map((each) => (typeof each === "string" ? each : each.source)),
    );
    expect(used(secrets)).toEqual(Object.keys(site.secrets).sort());
  });

  it("keeps archives and the store apart from each other and from everybody else", () => {
    const { "archive-a": first, "archive-b": second, store, gateway } = site.services;
    expect([first, second, store].map((each) => each?.networks)).toEqual([["hospital"], ["hospital"], ["research"]]);
    expect(site.networks).toMatchObject({ hospital: { internal: true }, research: { internal: true } });
    expect(services.flatMap(([, { ports }]) => ports)).toEqual(gateway?.ports);
    expect(gateway?.ports).toEqual(["127.0.0.1:8080:8080"]);
    expect(
      Object.entries(gateway?.environment ?? {}).every(
        ([name, value]) => name.endsWith("_FILE") && value.startsWith("/run/secrets/"),
      ),
    ).toBe(true);
  });

  it("runs a gateway whose settings are right, its secrets from files that the environment names", async () => {
    await using folder = await temporaryFolder();
    await cp(join(DEPLOY, "compose"), folder.path, { recursive: true });
    await mkdir(join(folder.path, "run"));
    const environment: Record<string, string> = {};
    for (const [name, path] of Object.entries(site.services.gateway?.environment ?? {})) {
      environment[name] = join(folder.path, "run", path.split("/").at(-1) ?? "");
      await writeFile(environment[name], "0123456789abcdef".repeat(4), { mode: 0o600 });
    }
    const home = { RADFERRY__HOME: join(folder.path, "home") };
    const checked = await runCli(["-c", join(folder.path, "radferry.yaml"), "config", "check"], {
      environment: { ...environment, ...home },
    });
    expect(checked).toMatchObject({ exitCode: 0 });
    for (const name of ["archive-a", "archive-b", "store"])
      expect(() => JSON.parse(text(`compose/orthanc/${name}.json`))).not.toThrow();
  });
});

it("has settings to begin with that are right", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await writeFile(file, text("radferry.yaml"));
  await mkdir(join(folder.path, "secrets"));
  await writeFile(join(folder.path, "secrets", "lung-ct.key"), "0123456789abcdef".repeat(4), { mode: 0o600 });
  const checked = await runCli(["-c", file, "config", "check"], {
    environment: { RADFERRY__HOME: join(folder.path, "home") },
  });
  expect(checked).toMatchObject({ exitCode: 0 });
});

describe("what watches a running service", () => {
  const rules = z
    .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) })
    .parse(parse(text("prometheus/radferry.rules.yaml")));
  const board = z
    .object({ panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })) })
    .parse(JSON.parse(text("grafana/radferry.json")));
  const asked = [
    ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ name: alert, expr }))),
    ...board.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr }))),
  ];
  const known = new Map<string, readonly string[]>(
    Object.entries(METRICS).flatMap(([name, { kind, labels }]) =>
      (kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map(
        (end) => [`radferry_${name}${end}`, labels] as const,
      ),
    ),
  );
  /** What every series has from whoever scrapes. */
  const SCRAPED = ["instance", "job", "le"];

  it.each(asked)("$name asks for what there is: $expr", ({ expr }) => {
    const metrics = expr.match(/radferry_\w+/g) ?? [];
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter((metric) => !known.has(metric))).toEqual([]);
    const labels = [
      ...[...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label ?? ""),
      ...[...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
        list.split(",").map((label) => label.trim()),
      ),
    ];
    const given = new Set([...SCRAPED, ...metrics.flatMap((metric) => known.get(metric) ?? [])]);
    expect(labels.filter((label) => !given.has(label))).toEqual([]);
  });

  it.runIf(requirePeer("promtool"))("has rules that Prometheus takes", async () => {
    await run(findPeer("promtool") ?? "", ["check", "rules", join(DEPLOY, "prometheus", "radferry.rules.yaml")]);
    await run(findPeer("promtool") ?? "", [
      "check",
      "config",
      "--syntax-only",
      join(DEPLOY, "prometheus", "scrape.yaml"),
    ]);
  });
});
