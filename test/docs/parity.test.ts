import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { routes as flipRoutes } from "../../src/compat/flip/http/routes.ts";
import { routes as pixlRoutes } from "../../src/compat/pixl/http/routes.ts";
import { ROUTES as scanHubRoutes } from "../../src/compat/scanhub/http/routes.ts";
import { errorRegistry } from "../../src/errors/registry.ts";
import * as flip from "../../src/flip.ts";
import { STORE_PATHS } from "../../src/http/dicomweb/store-routes.ts";
import { routes as ownRoutes } from "../../src/http/routes/routes.ts";
import * as pixl from "../../src/pixl.ts";
import * as rad69 from "../../src/rad69.ts";
import * as scanhub from "../../src/scanhub.ts";
import { programVerbs } from "../support/program-verbs.ts";
import { ROOT } from "../tidy/repository.ts";
import { codeIn, rowsOf } from "./tables.ts";

const rows = rowsOf(readFileSync(join(ROOT, "docs/parity.md"), "utf8"));
/** What stands as code in a column, through the whole page. */
const named = (...columns: readonly string[]): readonly string[] =>
  rows.flatMap(({ cells }) => columns.flatMap((column) => codeIn(cells.get(column))));

/** Never asked anything: FLIP's functions are looked at only. */
const imaging = flip.createFlipImaging({
  XNAT_URL: "http://127.0.0.1:1",
  XNAT_PORT: "8104",
  XNAT_SERVICE_USER: "user",
  XNAT_SERVICE_PASSWORD: "password",
  DATA_ACCESS_API_URL: "http://127.0.0.1:1",
  BASE_IMAGES_DOWNLOAD_DIR: "/nowhere",
  AES_KEY_BASE64: Buffer.alloc(32).toString("base64"),
  TRUST_INTERNAL_SERVICE_KEY: "key",
});

const functionsOf = (one: object): readonly string[] =>
  Object.getOwnPropertyNames(one).filter((name) => typeof Reflect.get(one, name) === "function");

/** What programs can name: exports, and the methods that carry the original's names. */
const OFFERED: Readonly<Record<string, readonly string[]>> = {
  FLIP: [...Object.keys(flip), ...functionsOf(imaging)],
  PIXL: Object.keys(pixl),
  ScanHub: Object.keys(scanhub),
  dicomtrolley: [...Object.keys(rad69), ...functionsOf(rad69.Rad69.prototype), ...functionsOf(rad69.Rad69)],
};

/** `METHOD /address` of every face, of FLIP on the gateway's own API, and of what takes studies. */
const ADDRESSES: readonly string[] = [
  ...flipRoutes.map(({ method, path }) => `${method} ${path}`),
  ...pixlRoutes.map(({ method, path }) => `${method} ${path}`),
  ...scanHubRoutes.flatMap(({ base, routes }) => routes.map(({ method, path }) => `${method} ${base}${path}`)),
  ...ownRoutes.filter(({ path }) => path.startsWith("/flip/")).map(({ method, path }) => `${method} /api/v1${path}`),
  ...STORE_PATHS.map((path) => `POST ${path}`),
];

function hasVerb(program: Command, [word, ...rest]: readonly string[]): boolean {
  if (word === undefined) return true;
  const next = program.commands.find((command) => command.name() === word);
  return next !== undefined && hasVerb(next, rest);
}

describe("the page function by function", () => {
  it.each(Object.entries(OFFERED))("names what programs can call, and no more: %s", (system, offered) => {
    const ours = rows
      .filter(({ section }) => section.startsWith(system))
      .flatMap(({ cells }) => codeIn(cells.get("here")));
    const isAddress = (code: string): boolean => code.includes(" /");
    expect(ours.filter((name) => !isAddress(name) && !offered.includes(name))).toEqual([]);
    const page = new Set([...ours, ...named("errors")]);
    // What every class has, and what is no function of the original's.
    const usual = new Set(["constructor", "prototype", "length", "name"]);
    expect(offered.filter((name) => !usual.has(name) && !page.has(name))).toEqual([]);
  });

  it("names verbs that the command line has", () => {
    const program = programVerbs();
    const verbs = named("verb");
    expect(verbs.length).toBeGreaterThan(20);
    expect(verbs.filter((verb) => !hasVerb(program, verb.split(" ").slice(1)))).toEqual([]);
  });

  it("names addresses that are answered, and all of them", () => {
    const addresses = named("address", "addresses", "here").filter((code) => code.includes(" /"));
    expect(addresses.filter((address) => !ADDRESSES.includes(address))).toEqual([]);
    expect(ADDRESSES.filter((address) => !addresses.includes(address))).toEqual([]);
  });

  it("names errors that there are", () => {
    const classes = new Set([
      ...Object.keys(flip),
      ...Object.keys(pixl),
      ...Object.keys(rad69),
      ...Object.keys(scanhub),
    ]);
    const originals = new Set(named("`dicomtrolley.rad69`").map((call) => call.replace(/\(.*$/, "")));
    const unknown = named("errors").filter(
      (name) => !(name in errorRegistry) && !classes.has(name) && !originals.has(name),
    );
    expect(unknown).toEqual([]);
  });

  it("has every function that the originals publish", () => {
    const originals = named(
      "`imaging_api.services.retrieval`",
      "`imaging_api.services.upload`",
      "`exam_requests`",
      "`dicomtrolley.rad69`",
    ).map((call) => call.replace(/\(.*$/, ""));
    expect(originals).toEqual(PUBLISHED);
  });
});

const PUBLISHED = [
  "retrieve_images_for_project",
  "get_import_status",
  "retry_retrieve_images_for_project",
  "upload_data_to_xnat",
  "create_xnat_scan",
  "create_xnat_resource",
  "check_file_exists_in_xnat",
  "upload_file_to_xnat",
  "get_task",
  "set_task",
  "get_sequence",
  "create_blank_result",
  "delete_blank_result",
  "set_result",
  "TASK_URI",
  "RESULT_URI",
  "SEQUENCE_URI",
  "Rad69",
  "datasets",
  "datasets_async",
  "datasets_single_thread",
  "download_iterator",
  "series_download_iterator",
  "get_dataset",
  "create_instance_request",
  "create_instances_request",
  "check_for_response_errors",
  "verify_response",
  "parse_rad69_response",
  "parse_rad69_soap_error_response",
  "handle_response_error",
  "split_instances",
];
