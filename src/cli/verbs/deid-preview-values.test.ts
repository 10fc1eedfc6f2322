import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { gatewayOf, runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { PreviewElement } from "../../deid/preview.ts";
import { ctImage, part10Bytes } from "../../deid/testing/objects.ts";
import { GatewayError } from "../../errors/gateway-error.ts";

const SETTINGS = `
home: ./home
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104, retrieve: get }
destinations:
  - { name: research-store, kind: folder, path: ./research }
projects:
  - { name: lung, archives: [vna], destinations: [research-store], profile: research, keyFile: lung.key }
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "image.dcm"), await part10Bytes(ctImage()));
  await writeFile(join(folder.path, "lung.key"), `${"11".repeat(32)}\n`, { mode: 0o600 });
});
afterEach(() => folder[Symbol.asyncDispose]());

/** Previews with values; `asked` has what the site was asked for permission of. */
async function preview(permit: () => Promise<void>, ...more: readonly string[]) {
  const asked: unknown[] = [];
  const operations = {
    showIdentifiedValues: async (of: unknown) => {
      asked.push(of);
      await permit();
    },
  };
  const world = { workingFolder: folder.path, openGateway: async () => gatewayOf(operations) };
  const args = ["deid", "preview", "image.dcm", "--profile", "research", "--values", "--json", ...more];
  const { exitCode, stdout } = await runCli(args, world);
  return { exitCode, stdout, asked, document: JSON.parse(stdout) };
}

const allowed = async (): Promise<void> => undefined;
const configure = () => writeFile(join(folder.path, "radferry.yaml"), SETTINGS);

it("shows values before and after, with the project's own pseudonyms, once the site has written it down", async () => {
  await configure();
  const { exitCode, document, asked } = await preview(allowed, "--project", "lung");
  expect(exitCode).toBe(0);
  expect(asked).toEqual([{ project: "lung", profile: "research" }]);
  const elements: readonly PreviewElement[] = document.elements;
  const of = (path: string) => elements.find((one) => one.path === path);
  expect(of("(0010,0010)")?.before?.value).toBe("Brandybuck^Meriadoc");
  expect(of("(0010,0010)")?.after?.value).toMatch(/^[0-9A-Z]{16}$/);
  expect(of("(0010,0010)")?.after?.value).toBe(of("(0010,0020)")?.after?.value);
  expect(of("(0028,0010)")?.before).toEqual({ class: "number", value: "4" });
  expect(of("(7FE0,0010)")?.before).not.toHaveProperty("value");
});

it("shows nothing to whom the site does not permit it", async () => {
  await configure();
  const refuse = () => Promise.reject(new GatewayError("ROLE_INSUFFICIENT"));
  const { exitCode, stdout, document } = await preview(refuse, "--project", "lung");
  expect(exitCode).toBe(1);
  expect(document.error.code).toBe("ROLE_INSUFFICIENT");
  expect(stdout).not.toContain("Brandybuck");
});

it("shows nothing without a site, or without a project of it", async () => {
  const withoutSite = await preview(allowed, "--project", "lung");
  expect(withoutSite).toMatchObject({ exitCode: 2, asked: [] });
  expect(withoutSite.document.error).toMatchObject({ code: "IDENTIFIED_VALUES_NEED_SITE" });
  await configure();
  const withoutProject = await preview(allowed);
  expect(withoutProject.document.error).toMatchObject({ code: "IDENTIFIED_VALUES_NEED_SITE" });
  const unknown = await preview(allowed, "--project", "heart");
  expect(unknown.document.error).toMatchObject({ code: "PROJECT_UNKNOWN" });
  expect([withoutProject.asked, unknown.asked]).toEqual([[], []]);
});
