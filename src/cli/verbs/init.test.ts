import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { freePort } from "../../../test/peers/free-port.ts";
import { startPracticeArchive } from "../../../test/peers/practice-archive.ts";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openGateway } from "../../gateway/open-gateway.ts";

const FLAGS = ["--archive", "VNA@10.0.0.5:104", "--destination", "research", "--project", "lung-ct", "--no-probe"];

describe("init", () => {
  it("writes settings that are right, and a key that is nobody else's", async () => {
    await using folder = await temporaryFolder();
    const world = { workingFolder: folder.path };
    const { exitCode, stdout } = await runCli(["init", ...FLAGS, "--json"], world);
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      file: join(folder.path, "radferry.yaml"),
      written: true,
      keyId: expect.any(String),
    });
    expect(parse(await readFile(document.file, "utf8"))).toEqual({
      home: "./radferry-home",
      dicom: { aeTitle: "RADFERRY", host: "0.0.0.0", port: 11_112 },
      archives: [{ name: "archive", kind: "dimse", address: "VNA@10.0.0.5:104", retrieve: "move" }],
      destinations: [{ name: "research-store", kind: "folder", path: join(folder.path, "research") }],
      projects: [
        {
          name: "lung-ct",
          archives: ["archive"],
          destinations: ["research-store"],
          profile: "research",
          keyFile: "./keys/lung-ct.key",
        },
      ],
    });
    expect((await stat(document.keyFile)).mode & 0o077).toBe(0);
    expect((await runCli(["config", "check"], world)).exitCode).toBe(0);
  });

  it.each([
    ["https://pacs.example.org/dicom-web", [], { kind: "dicomweb", url: "https://pacs.example.org/dicom-web" }],
    ["http://127.0.0.1:8042", ["--archive-kind", "orthanc"], { kind: "orthanc", url: "http://127.0.0.1:8042" }],
    ["PACS@127.0.0.1:4242", ["--retrieve", "get"], { kind: "dimse", address: "PACS@127.0.0.1:4242", retrieve: "get" }],
  ])(
    "takes %s for what it is, and listens to this machine alone, as the help says",
    async (archive, more, expected) => {
      await using folder = await temporaryFolder();
      const flags = ["--archive", archive, "--destination", "STORE@10.0.0.7:4242", "--project", "a", ...more];
      const { exitCode, stdout } = await runCli(["init", ...flags, "--dry-run"], { workingFolder: folder.path });
      expect(exitCode).toBe(0);
      expect(parse(stdout)).toMatchObject({
        dicom: { host: "127.0.0.1" },
        archives: [{ name: "archive", ...expected }],
        destinations: [{ kind: "dimse", address: "STORE@10.0.0.7:4242" }],
      });
      const help = (await runCli(["init", "--help"])).stdout.replaceAll(/\s+/g, " ");
      expect(help).toContain("where the archive is AET@host:port of another machine, else of this machine alone");
    },
  );

  it.each([
    ["11312", { host: "0.0.0.0", port: 11_312 }],
    ["10.0.0.9", { host: "10.0.0.9", port: 11_112 }],
    ["10.0.0.9:104", { host: "10.0.0.9", port: 104 }],
    [":104", { host: "0.0.0.0", port: 104 }],
    ["::1", { host: "::1", port: 11_112 }],
    ["[2001:db8::9]", { host: "2001:db8::9", port: 11_112 }],
    ["[2001:db8::9]:104", { host: "2001:db8::9", port: 104 }],
  ])("listens at %s: a number alone is the port", async (listen, dicom) => {
    await using folder = await temporaryFolder();
    const { stdout } = await runCli(["init", ...FLAGS, "--listen", listen, "--dry-run"], {
      workingFolder: folder.path,
    });
    expect(parse(stdout)).toMatchObject({ dicom });
  });

  it("writes nothing on a dry run, and nothing over what is there", async () => {
    await using folder = await temporaryFolder();
    const world = { workingFolder: folder.path };
    await runCli(["init", ...FLAGS, "--dry-run"], world);
    await expect(stat(join(folder.path, "radferry.yaml"))).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(join(folder.path, "radferry.yaml"), "home: mine\n");
    const { exitCode, stdout } = await runCli(["init", ...FLAGS, "--json"], world);
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([1, "INIT_FILE_EXISTS"]);
    expect(await readFile(join(folder.path, "radferry.yaml"), "utf8")).toBe("home: mine\n");
  });

  it("leaves neither file behind for answers that are no settings", async () => {
    await using folder = await temporaryFolder();
    const flags = ["--archive", "VNA@10.0.0.5:99999", "--destination", "out", "--project", "lung-ct"];
    const { exitCode, stderr } = await runCli(["init", ...flags], { workingFolder: folder.path });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("archives[0].address (--archive): An address of the form AET@host:port is expected.");
    expect(stderr).toMatch(/INIT_ANSWERS_INVALID.*\nWhat to do: Run `radferry init` again/);
    await expect(stat(join(folder.path, "keys"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    ["STORE@10.0.0.7", "destinations[0].address (--destination): An address of the form AET@host:port is expected."],
    ["10.0.0.7:4242", "destinations[0].address (--destination): An address of the form AET@host:port is expected."],
    [
      "ftp://10.0.0.7/in",
      "destinations[0].url (--destination): A URL that begins with http:// or https:// is expected.",
    ],
  ])("takes %s for no folder: the studies would stay on this machine", async (destination, problem) => {
    await using folder = await temporaryFolder();
    const flags = ["--archive", "VNA@10.0.0.5:104", "--destination", destination, "--project", "lung-ct"];
    const { exitCode, stderr } = await runCli(["init", ...flags, "--no-probe"], { workingFolder: folder.path });
    expect([exitCode, stderr.split("\n  ")[1]?.split(" [")[0]]).toEqual([2, problem]);
    const named = await runCli(["init", ...flags.with(3, `./${destination}`), "--dry-run"], {
      workingFolder: folder.path,
    });
    expect(parse(named.stdout)).toMatchObject({ destinations: [{ kind: "folder" }] });
  });

  it("tells who sits at a terminal what is wrong with an answer, and asks for that one again", async () => {
    await using folder = await temporaryFolder();
    const questions: string[] = [];
    const answers = ["127.0.0.1:104", "", "out", "lung ct", "VNA@127.0.0.1:104", "lung-ct"];
    const ask = async (question: string): Promise<string> => answers[questions.push(question) - 1] ?? "";
    const { exitCode, stderr } = await runCli(["init", "--no-probe"], { workingFolder: folder.path, ask });
    expect(exitCode).toBe(0);
    expect(questions.map((question) => question.split(" ")[0])).toEqual([
      ...["Archive", "Destination", "Destination", "Name"],
      ...["Archive", "Name"],
    ]);
    expect(stderr).toContain("(--archive): An address of the form AET@host:port is expected.");
    const settings = parse(await readFile(join(folder.path, "radferry.yaml"), "utf8"));
    expect(settings).toMatchObject({ archives: [{ address: "VNA@127.0.0.1:104" }], projects: [{ name: "lung-ct" }] });
  });

  it("ends in order when Ctrl-C or Ctrl-D answers a question", async () => {
    await using folder = await temporaryFolder();
    const ask = (): Promise<never> => Promise.reject(new DOMException("Aborted with Ctrl+C", "AbortError"));
    const { exitCode, stderr } = await runCli(["init"], { workingFolder: folder.path, ask });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("[CANCELLED]");
    expect(stderr).not.toContain("unforeseen");
  });

  it("does not ask for ever", async () => {
    await using folder = await temporaryFolder();
    let asked = 0;
    const blank = { workingFolder: folder.path, ask: async () => `${" ".repeat(asked++ % 2)}` };
    expect((await runCli(["init", "--no-probe"], blank)).stderr).toContain(
      "missing --archive, --destination, --project",
    );
    asked = 0;
    const wrong = { workingFolder: folder.path, ask: async () => `no address ${asked++}` };
    expect((await runCli(["init", "--no-probe"], wrong)).exitCode).toBe(2);
    expect(asked).toBeLessThan(20);
  });

  it("asks for what is missing where somebody is there, and names it where nobody is", async () => {
    await using folder = await temporaryFolder();
    const nobody = await runCli(["init"], { workingFolder: folder.path });
    expect(nobody.exitCode).toBe(2);
    expect(nobody.stderr).toContain("--archive, --destination, --project");
    const questions: string[] = [];
    const answers = ["VNA@127.0.0.1:104", "out", "lung-ct"];
    const ask = async (question: string): Promise<string> => answers[questions.push(question) - 1] ?? "";
    const asked = await runCli(["init", "--no-probe"], { workingFolder: folder.path, ask });
    expect(asked.exitCode).toBe(0);
    expect(questions).toHaveLength(3);
  });

  it("tries what it wrote: an archive that answers, and one that does not", async () => {
    await using folder = await temporaryFolder();
    const [listenPort, deadPort] = [await freePort(), await freePort()];
    await using archive = await startPracticeArchive({
      studies: [],
      destinations: [`RADFERRY@127.0.0.1:${listenPort}`],
    });
    const attempt = (address: string, output: string) =>
      runCli(
        [
          ...["init", "--archive", address, "--retrieve", "get", "--destination", "out", "--project", output],
          ...["--listen", `127.0.0.1:${listenPort}`, "--home", `home-${output}`, "-o", `${output}.yaml`, "--json"],
        ],
        { workingFolder: folder.path, openGateway },
      );
    const good = await attempt(archive.address, "good");
    expect(JSON.parse(good.stdout)).toMatchObject({ written: true, doctor: { ok: true } });
    expect(good.exitCode).toBe(0);
    const bad = await attempt(`NOBODY@127.0.0.1:${deadPort}`, "bad");
    expect(bad.exitCode).toBe(3);
    expect(JSON.parse(bad.stdout)).toMatchObject({ written: true, doctor: { ok: false } });
  });
});
