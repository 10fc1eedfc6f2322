import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runCli } from "../../../test/support/cli.ts";
import { writePixlProject } from "../../../test/support/pixl-project.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const radferry = (...args: readonly string[]) => runCli(args, { workingFolder: folder.path });
const read = (name: string) => readFile(join(folder.path, name), "utf8");
const FTPS = { dicom: "ftps", parquet: "ftps" };
const importing = (...args: readonly string[]) =>
  radferry("project", "import-pixl", "configs/trial.yaml", "--archive", "vna", "--accept-free-text", ...args);

describe("project import-pixl", () => {
  it("prints an entry with what is to be filled in, and writes the profile", async () => {
    await writePixlProject(folder.path, "trial", {
      project: { name: "trial", azure_kv_alias: "uclh", modalities: ["MR", "CT"] },
      series_filters: ["localizer"],
      destination: FTPS,
      owner: "me",
    });
    const { stdout, exitCode } = await importing();
    expect(exitCode).toBe(0);
    expect(parse(stdout)).toEqual({
      destinations: [
        {
          name: "trial-ftps",
          kind: "ftps",
          host: "fill-in.invalid",
          security: "implicit",
          username: "fill-in",
          passwordFile: "secrets/uclh--ftp--password",
        },
      ],
      projects: [
        {
          name: "trial",
          archives: ["vna"],
          destinations: ["trial-ftps"],
          profile: "profiles/trial.yaml",
          keyFile: "keys/trial.key",
          accessionNumbersUnique: false,
          pseudonyms: {
            mode: "pixl",
            hashKeyFile: "secrets/pixl-hash-key",
            projectSaltFile: "secrets/pixl-salt-trial",
            localSaltFile: "secrets/pixl-local-salt",
          },
        },
      ],
    });
    for (const said of [
      "uclh--ftp--host",
      "uclh--ftp--port",
      "uclh--ftp--username",
      "destination.parquet (ftps) is not carried over",
      "owner is not carried over",
      "secrets/pixl-salt-trial: the key vault's secret trial",
    ])
      expect(stdout).toMatch(new RegExp(`^# .*${said.replace(/[()]/g, "\\$&")}`, "m"));
    expect(parse(await read("profiles/trial.yaml"))).toMatchObject({
      profile: "trial",
      unlisted: "remove",
      pseudonyms: { mode: "pixl" },
      filters: {
        modality: { allow: ["MR", "CT"] },
        manufacturer: { allow: ["/.*/i"], on_missing: "exclude" },
        series_description: { deny: ["localizer"] },
        min_instances_per_series: 2,
      },
      overrides: [{ when: { manufacturer: "/^philips/i" } }],
    });
  });

  it("adds it to the settings, which then pass the check once the secrets are there", async () => {
    const settings = [
      "# ours",
      "home: home",
      "archives:",
      "  # the hospital's",
      "  - {name: vna, kind: dimse, address: VNA@h:104}",
    ];
    await writeFile(join(folder.path, "radferry.yaml"), `${settings.join("\n")}\n`);
    await writePixlProject(folder.path, "trial", { project: { modalities: ["DX"] }, destination: FTPS });
    const secrets = ["--host", "ftps.example.org", "--port", "9900", "--username", "u", "--signed-off", "board 3"];
    const { exitCode, stdout } = await importing("--add", ...secrets, "--json");
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      { project: "trial", added: true, profile: "profiles/trial.yaml" },
    ]);
    const text = await read("radferry.yaml");
    expect(text.startsWith(`${settings.join("\n").split("  - {")[0]}`)).toBe(true);
    expect(parse(text).destinations).toMatchObject([{ host: "ftps.example.org", port: 9900, username: "u" }]);
    expect(parse(await read("profiles/trial.yaml")).pixels).toEqual({ allow_absent: { signed_off: "board 3" } });

    await mkdir(join(folder.path, "keys"));
    await mkdir(join(folder.path, "secrets"));
    expect((await radferry("project", "new-key", "keys/trial.key")).exitCode).toBe(0);
    for (const { file } of JSON.parse(stdout).files.slice(1)) {
      await writeFile(join(folder.path, file), `of ${file}\n`);
      await chmod(join(folder.path, file), 0o600);
    }
    expect(await radferry("config", "check")).toMatchObject({ exitCode: 0 });
    expect(await importing("--add")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("SETTING_DUPLICATE"),
    });
    expect(await read("radferry.yaml")).toBe(text);
  });

  it("makes settings where there are none, and leaves a profile that is there alone", async () => {
    await writePixlProject(folder.path, "trial", { project: { modalities: ["CT"] }, destination: FTPS });
    expect(await importing("--add")).toMatchObject({ exitCode: 0 });
    expect(parse(await read("radferry.yaml")).projects).toHaveLength(1);
    await writeFile(join(folder.path, "profiles/trial.yaml"), "looked through");
    expect(await importing()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--force") });
    expect(await read("profiles/trial.yaml")).toBe("looked through");
    expect(await importing("--force")).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [
      "dicomweb",
      { kind: "dicomweb", url: "https://store.example.org", passwordFile: "secrets/trial--dicomweb--password" },
    ],
    [
      "xnat",
      {
        kind: "xnat",
        url: "https://store.example.org",
        project: "trial",
        passwordFile: "secrets/trial--xnat--password",
      },
    ],
  ])("knows %s as a destination", async (dicom, destination) => {
    await writePixlProject(folder.path, "trial", {
      project: { modalities: ["CT"] },
      destination: { dicom, parquet: "none" },
    });
    const { stdout } = await importing("--url", "https://store.example.org", "--username", "u");
    expect(parse(stdout).destinations).toMatchObject([{ ...destination, username: "u" }]);
  });

  it.each(["none", "tre"])("wants a destination where PIXL delivers to %s", async (dicom) => {
    await writePixlProject(folder.path, "trial", {
      project: { modalities: ["CT"] },
      destination: { dicom, parquet: "tre" },
    });
    expect(await importing()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`destination.dicom is ${dicom}`),
    });
    const { stdout } = await importing("--destination", "research-store", "viewer");
    expect(parse(stdout)).toMatchObject({ projects: [{ destinations: ["research-store", "viewer"] }] });
    expect(parse(stdout)).not.toHaveProperty("destinations");
  });

  it("writes masks for ultrasound images of the sizes that are named", async () => {
    await writePixlProject(folder.path, "a-name-that-is-longer-than-that-of-a-profile", {
      project: { name: "other", modalities: ["US"] },
      image_operation_files: { deid_recipes: ["regions.recipe"] },
      destination: FTPS,
    });
    const config = "configs/a-name-that-is-longer-than-that-of-a-profile.yaml";
    const args = ["project", "import-pixl", config, "--archive", "vna", "--accept-free-text"];
    const { stdout } = await radferry(...args, "--image-sizes", "768x1024");
    expect(stdout).toContain("# project.name (other) differs from the file's name");
    const profile = parse(await read("profiles/a-name-that-is-longer-than-that-of-a-profile.yaml"));
    expect(profile).toMatchObject({
      profile: "a-name-that-is-longer-than-that-of-a-pro",
      pixels: { masks: ["a-name-that-is-longer-than-that-of-a-profile-masks.yaml"] },
    });
    expect(parse(await read(`profiles/${profile.pixels.masks[0]}`)).masks).toMatchObject([{ outside: "regions" }]);
    expect(
      (await radferry("deid", "lint", "profiles/a-name-that-is-longer-than-that-of-a-profile.yaml")).exitCode,
    ).toBe(0);
  });

  it("refuses what a further recipe blanks that masks by regions would show", async () => {
    await writePixlProject(folder.path, "trial", {
      project: { name: "trial", modalities: ["US"] },
      image_operation_files: { deid_recipes: ["regions.recipe", "banner.recipe"] },
      destination: FTPS,
    });
    const further = "present SequenceOfUltrasoundRegions\ncoordinates 0,0,1024,90\n";
    await writeFile(join(folder.path, "configs/image-operations/banner.recipe"), further);
    const { stderr, exitCode } = await importing("--image-sizes", "768x1024");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("banner.recipe");
    await expect(read("profiles/trial.yaml")).rejects.toThrow("ENOENT");
  });

  it("names the file that is missing of all that the configuration names", async () => {
    await writePixlProject(folder.path, "trial", {
      project: { name: "trial", modalities: ["MR"] },
      tag_operation_files: { base: ["base.yaml", "of-the-trial.yaml"] },
      destination: FTPS,
    });
    const { stderr, exitCode } = await importing();
    expect(exitCode).toBe(2);
    expect(stderr).toContain("of-the-trial.yaml");
  });

  it("writes nothing for a configuration that cannot be carried out", async () => {
    await writePixlProject(folder.path, "trial", {
      project: { modalities: ["CT"] },
      destination: { dicom: "post", parquet: "none" },
    });
    expect(await importing("--add")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("destination.dicom"),
    });
    await expect(read("profiles/trial.yaml")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(read("radferry.yaml")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
