import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  ENCODED_QUERY,
  envelopes,
  type FlipSite,
  HUB_PROJECT,
  KEY_HEADERS,
  PROJECT,
  startFlipSite,
} from "../peers/flip-site.ts";
import { archiveSession } from "../peers/xnat/arrivals.ts";
import { newProject } from "../peers/xnat/state.ts";

const HUB = {
  project_id: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
  trust_id: "3fa85f64-5717-4562-b3fc-2c963f66afa7",
  project_name: "Lungs",
  query: "SELECT 1",
};

let site: FlipSite;
beforeAll(async () => {
  site = await startFlipSite();
});
afterAll(() => site[Symbol.asyncDispose]());

/** What XNAT was asked from here on, logins aside. */
function askedFrom(start: number): readonly string[] {
  return site.xnat.requests.slice(start).filter((request) => !request.includes("JSESSION"));
}

describe("the FLIP face", () => {
  it("answers its health without a key, and without asking XNAT", async () => {
    const start = site.xnat.requests.length;
    site.xnat.switches.delayMs = 500;
    const waiting = site.call("GET", "/projects/");
    const health = await site.call("GET", "/health", undefined, {});
    expect([health.status, health.json]).toEqual([200, { status: "ok", version: "1.2.3", dead_tasks: [] }]);
    expect(askedFrom(start)).toEqual([]);
    site.xnat.switches.delayMs = 0;
    expect((await waiting).status).toBe(200);
  });

  it.each([
    [{}, "Not authenticated: trust-internal service key is missing."],
    [{ "X-Trust-Internal-Service-Key": "" }, "Not authenticated: trust-internal service key is missing."],
    [{ "X-Trust-Internal-Service-Key": "wrong" }, "Not authenticated: trust-internal service key is invalid."],
  ])("turns away %j", async (headers, detail) => {
    const start = site.xnat.requests.length;
    for (const [method, path] of [
      ["GET", "/projects/"],
      ["PUT", "/users"],
      ["PUT", `/retrieval/reimport_imaging_project_studies/${PROJECT}?encoded_query=${ENCODED_QUERY}`],
      ["POST", "/download/images/net-1"],
    ] as const) {
      const { status, json } = await site.call(method, path, undefined, headers);
      expect([status, json]).toEqual([401, { detail }]);
    }
    expect(askedFrom(start)).toEqual([]);
  });

  it("leads to the address with the right slash, and names methods and what is not there", async () => {
    const at = async (method: string, path: string) => {
      const { status, headers, json } = await site.call(method, path, undefined, {});
      return [status, headers.get("location")?.replace(site.url, "") ?? headers.get("allow"), json];
    };
    expect(await at("GET", "/projects?a=b")).toEqual([307, "/projects/?a=b", undefined]);
    expect(await at("GET", "/users/")).toEqual([307, "/users", undefined]);
    expect(await at("GET", `/projects/${PROJECT}/`)).toEqual([307, `/projects/${PROJECT}`, undefined]);
    expect(await at("PATCH", "/users")).toEqual([405, "GET, POST, PUT", { detail: "Method Not Allowed" }]);
    expect(await at("POST", "/health")).toEqual([405, "GET", { detail: "Method Not Allowed" }]);
    // Of a project whose id went missing: nothing is looked up, and nothing is done.
    expect(await at("DELETE", "/projects/")).toEqual([405, "GET, POST", { detail: "Method Not Allowed" }]);
    expect(await at("GET", "/projects//subjects")).toEqual([404, null, { detail: "Not Found" }]);
    expect(await at("PUT", "/upload/images/")).toEqual([404, null, { detail: "Not Found" }]);
    expect(await at("GET", "/nothing")).toEqual([404, null, { detail: "Not Found" }]);
  });

  it("shows its OpenAPI page, but not in production", async () => {
    const { json } = await site.call("GET", "/openapi.json", undefined, {});
    expect(json).toMatchObject({
      info: { title: "Imaging API", version: "0.1.0" },
      paths: {
        "/projects/": { get: { tags: ["Projects"] }, post: { parameters: { length: 4 } } },
        "/projects/{project_id}": { get: { operationId: "get_project_endpoint_projects__project_id__get" } },
        "/retrieval/import_status_count/{project_id}": { get: { parameters: [{ in: "path" }, { in: "query" }] } },
      },
      components: { schemas: { UploadDataRequest: { required: expect.arrayContaining(["accession_id", "files"]) } } },
    });
    expect((await site.call("GET", "/docs", undefined, {})).text).toContain("/upload/images/{net_id}");
  });

  it("is degraded without a folder to sweep, has no pages in production, and is closed, never open, without a key of its own", async () => {
    const closed = { ENV: "production", TRUST_INTERNAL_SERVICE_KEY: "" };
    // A folder for images that is none cannot be swept.
    const failing = { IMAGE_CACHE_RETENTION_ENABLED: "true", BASE_IMAGES_DOWNLOAD_DIR: "/dev/null" };
    await using other = await startFlipSite({ environment: { ...closed, ...failing } });
    const degraded = { status: "degraded", version: "1.2.3", dead_tasks: ["image_cache_retention:failing"] };
    await vi.waitFor(async () => expect((await other.call("GET", "/health", undefined, {})).json).toEqual(degraded));
    for (const page of ["/openapi.json", "/docs", "/redoc"])
      expect((await other.call("GET", page, undefined, {})).status).toBe(404);
    const { status, json } = await other.call("GET", "/projects/");
    expect([status, json]).toEqual([401, { detail: expect.stringContaining("not configured") }]);
  });

  it("says field by field what is wrong with a request, before XNAT hears of it", async () => {
    const start = site.xnat.requests.length;
    const details = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      const { status, json } = await site.call(method, path, body);
      expect(status).toBe(422);
      return Reflect.get(Object(json), "detail");
    };
    expect(await details("POST", "/projects/?project_id=a&project_name=b")).toEqual([
      { type: "missing", loc: ["query", "project_secondary_id"], msg: "Field required", input: null },
    ]);
    expect(await details("PUT", "/users", { email: "a@b.org" })).toEqual([
      { type: "missing", loc: ["body", "enabled"], msg: "Field required", input: { email: "a@b.org" } },
    ]);
    expect(await details("GET", "/imaging/ping_pacs/one")).toMatchObject([
      { type: "int_parsing", loc: ["path", "pacs_id"], input: "one" },
    ]);
    expect(await details("POST", "/users", "{")).toMatchObject([{ type: "json_invalid", loc: ["body", 1] }]);
    expect(await details("POST", "/users")).toMatchObject([{ type: "missing", loc: ["body"] }]);
    const hub = { ...HUB, project_id: "x", project_name: "a<b", users: [{ id: HUB.trust_id, email: "nobody" }] };
    expect(await details("POST", "/projects/create-project-from-central-hub-project", hub)).toMatchObject([
      { type: "uuid_parsing", loc: ["body", "project_id"] },
      { type: "value_error", loc: ["body", "project_name"] },
      { type: "value_error", loc: ["body", "users", 0, "email"] },
    ]);
    const unsafe = { accession_id: "%2e%2e", encrypted_central_hub_project_id: "x", scan_id: "..", resource_id: "" };
    expect(await details("PUT", "/upload/images/net-1", { ...unsafe, files: [] })).toMatchObject([
      { loc: ["body", "accession_id"], msg: expect.stringContaining("RFC 3986 unreserved characters") },
      { loc: ["body", "scan_id"], msg: "Value error, must not be a dot-segment ('.' or '..')" },
      { loc: ["body", "resource_id"], msg: "Value error, must not be empty" },
    ]);
    expect(await details("POST", "/download/images/net-1?resource_type=X", { ...unsafe })).toMatchObject([
      {
        type: "literal_error",
        loc: ["query", "resource_type"],
        msg: "Input should be 'DICOM', 'NIFTI', 'SEG' or 'ALL'",
      },
      { loc: ["body", "accession_id"] },
    ]);
    expect(await details("POST", "/download/images/net-1?resource_type=X&force_refresh=maybe", {})).toMatchObject([
      { loc: ["query", "resource_type"] },
      { loc: ["query", "force_refresh"] },
      { loc: ["body", "accession_id"] },
      { loc: ["body", "encrypted_central_hub_project_id"] },
    ]);
    const none = { projectId: PROJECT, studies: [] };
    expect(await details("POST", "/imaging/queue_image_import_request", none)).toMatchObject([{ type: "too_short" }]);
    expect(askedFrom(start)).toEqual([]);
  });

  it("logs in once, and again when its session has ended", async () => {
    site.xnat.logins.expire();
    const before = site.xnat.logins.made;
    const projects = await Promise.all([1, 2, 3].map(() => site.call("GET", "/projects/")));
    expect(projects.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(site.xnat.logins.made).toBe(before + 1);
    site.xnat.logins.expire();
    expect((await site.call("GET", "/projects/")).status).toBe(200);
    expect(site.xnat.logins.made).toBe(before + 2);
  });

  it("answers 500 in FLIP's form while XNAT is away", async () => {
    site.xnat.switches.drops = () => true;
    for (const path of ["/projects/", `/projects/${PROJECT}`, "/users", "/imaging/ping_pacs/1"]) {
      const { status, json } = await site.call("GET", path);
      expect([path, status, json]).toEqual([path, 500, { detail: "Internal server error" }]);
    }
    site.xnat.switches.drops = () => false;
  });

  it("passes on why it cannot log in, and takes the key under the name that is configured", async () => {
    await using other = await startFlipSite({ environment: { TRUST_INTERNAL_SERVICE_KEY_HEADER: "X-Own" } });
    expect((await other.call("GET", "/users")).status).toBe(401);
    const headers = { "X-Own": KEY_HEADERS["X-Trust-Internal-Service-Key"] };
    other.xnat.switches.accountLocked = true;
    const { status, json } = await other.call("GET", "/projects/", undefined, headers);
    expect([status, json]).toEqual([401, { detail: expect.stringContaining("Failed to authenticate with XNAT: ") }]);
  });
});

describe("projects and users of the FLIP face", () => {
  it("shows and deletes projects; what the hub knows them by is the secondary id", async () => {
    const listed = { ID: PROJECT, secondary_ID: HUB_PROJECT, name: "Trial", URI: `/data/projects/${PROJECT}` };
    const whole = { ...listed, pi_firstname: "", pi_lastname: "", description: "" };
    expect((await site.call("GET", "/projects/")).json).toEqual([whole]);
    expect((await site.call("GET", `/projects/${PROJECT}`)).json).toEqual(whole);
    const missing = await site.call("GET", "/projects/other");
    expect([missing.status, missing.json]).toEqual([404, { detail: "404: Project with ID 'other' not found." }]);
    for (const list of ["subjects", "experiments"])
      expect((await site.call("GET", `/projects/${PROJECT}/${list}`)).json).toEqual([]);
    expect((await site.call("GET", "/projects/other/subjects")).status).toBe(404);
    expect((await site.call("GET", `/projects/${PROJECT}/experiment/ACC1`)).status).toBe(404);
    site.xnat.state.projects.set("old", newProject("old", {}));
    expect((await site.call("DELETE", "/projects/old")).json).toMatchObject({ ID: "old" });
    expect(site.xnat.requests).toContain("DELETE /data/projects/old?removeFiles=true");
    expect((await site.call("DELETE", "/projects/old")).status).toBe(404);
  });

  it("lists subjects and sessions, those too that a project's own listing hides (W13)", async () => {
    const { state, switches } = site.xnat;
    switches.hidesDx = true;
    const project = newProject("dx", {});
    state.projects.set("dx", project);
    archiveSession(state, project, {
      label: "ACC1",
      subject: "S1",
      uid: "1.2",
      date: "",
      xsiType: "xnat:dxSessionData",
    });
    const listOf = async (what: string) => (await site.call("GET", `/projects/dx/${what}`)).json;
    expect(await listOf("experiments")).toMatchObject([{ label: "ACC1", xsiType: "xnat:dxSessionData" }]);
    expect(await listOf("subjects")).toMatchObject([{ label: "S1", project: "dx" }]);
    switches.hidesDx = false;
    state.projects.delete("dx");
  });

  it("creates a project from a query, whatever characters it has, and only once", async () => {
    const name = `<x>&"'</name><ID>evil</ID>`;
    const query = new URLSearchParams({ project_id: "new", project_secondary_id: "hub", project_name: name });
    const { status, json } = await site.call("POST", `/projects/?${query}`);
    expect([status, json]).toEqual([200, expect.objectContaining({ ID: "new", secondary_ID: "hub" })]);
    expect(site.xnat.state.projects.get("new")?.name).toBe(name);
    const again = await site.call("POST", `/projects/?${query}`);
    const detail = "Project ID 'new' already exists. Can't create a new project with the same ID.";
    expect([again.status, again.json]).toEqual([400, { detail }]);
  });

  it("creates a project of the hub with its users, its archive rule and its conversion", async () => {
    const users = [
      { id: HUB.trust_id, email: "new-person.x+y@example.org" },
      { id: HUB.trust_id, email: "off@example.org", is_disabled: true },
      { id: HUB.trust_id, email: "radferry@elsewhere.example" },
      { id: HUB.trust_id, email: "radferry@example.org" },
    ];
    const path = "/projects/create-project-from-central-hub-project";
    const { status, json } = await site.call("POST", path, { ...HUB, users, dicom_to_nifti: "false" });
    expect(status).toBe(200);
    const id: string = Reflect.get(Object(json), "ID");
    expect(json).toEqual({
      ID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: `Lungs:${HUB.project_id}-FL-Project`,
      created_users: [
        {
          username: "new-personxy",
          encrypted_setup_path: expect.any(String),
          encrypted_password: expect.any(String),
          email: "new-person.x+y@example.org",
        },
        expect.objectContaining({ username: "radferry1", email: "radferry@elsewhere.example" }),
      ],
      added_users: [
        expect.objectContaining({ username: "new-personxy" }),
        expect.objectContaining({ username: "radferry1" }),
        expect.objectContaining({ username: "radferry" }),
      ],
    });
    // Hubs of either time read one of the fields, and are told the same: where a password is set.
    const [created] = Object(json).created_users;
    const setupPath = /^\/app\/template\/XDATScreen_UpdateUser\.vm\?a=[^&]+&s=[^&]+$/;
    expect(envelopes.open(created.encrypted_setup_path, "xnat_setup_path")).toMatch(setupPath);
    expect(envelopes.open(created.encrypted_password, "xnat_password")).toMatch(setupPath);
    const { projects, subscriptions } = site.xnat.state;
    expect(projects.get(id)).toMatchObject({
      ...{ secondaryId: HUB.project_id, prearchiveCode: 4 },
      description: `Project corresponding to central hub project ${HUB.project_id}`,
    });
    expect([...(projects.get(id)?.users ?? [])]).toEqual([
      ["new-personxy", "Members"],
      ["radferry1", "Members"],
      ["radferry", "Members"],
    ]);
    const event = "org.nrg.xnat.eventservice.events.ScanEvent";
    expect(subscriptions).toEqual([
      {
        ...{ name: "DICOM-NIfTI Conversion", "event-selector": `${event}:CREATED` },
        "action-key": expect.stringMatching(/^org\.nrg\.containers\.services\.CommandActionProvider:\d+$/),
        ...{ attributes: {}, active: false, "act-as-event-user": false },
        "event-filter": {
          ...{ "event-type": event, status: "CREATED", "project-ids": [id] },
          "payload-filter": '(@.resources.length() > 0 && "DICOM" in @.resources[*].label)',
        },
      },
    ]);
    // XNAT takes a subscription to what is not enabled for the project for wrong.
    const enabled = new RegExp(`^PUT /xapi/projects/${id}/commands/\\d+/wrappers/[^/]+/enabled$`);
    expect(site.xnat.requests).toContainEqual(expect.stringMatching(enabled));
  });

  it("has the scans of a hub's project converted unless it is told otherwise", async () => {
    const project = { ...HUB, project_id: "0d3eb0b1-6959-44a2-8fb5-e07c8f8e2f10" };
    expect((await site.call("POST", "/projects/create-project-from-central-hub-project", project)).status).toBe(200);
    expect(site.xnat.state.subscriptions.at(-1)).toMatchObject({ active: true });
  });

  it("lists, creates and changes users", async () => {
    const person = {
      username: "ada",
      password: "Enough4XNAT!",
      email: "ada@example.org",
      firstName: "A",
      lastName: "L",
    };
    const created = await site.call("POST", "/users", person);
    expect([created.status, created.json]).toEqual([
      200,
      expect.objectContaining({ username: "ada", enabled: true, lastSuccessfulLogin: null }),
    ]);
    expect((await site.call("POST", "/users", person)).status).toBe(500);
    expect((await site.call("GET", "/users")).json).toContainEqual(created.json);
    const change = { email: "ada@example.org", enabled: false };
    expect((await site.call("PUT", "/users", change)).json).toMatchObject({ username: "ada", enabled: false });
    expect((await site.call("PUT", "/users", change)).json).toMatchObject({ enabled: false });
    expect((await site.call("PUT", "/users", { ...change, email: "no@example.org" })).status).toBe(404);
    expect((await site.call("PUT", `/users/add-to-project/ada/${PROJECT}`)).json).toMatchObject({ username: "ada" });
    expect((await site.call("PUT", `/users/add-to-project/bob/${PROJECT}`)).status).toBe(404);
    expect(site.xnat.state.projects.get(PROJECT)?.users.get("ada")).toBe("Members");
  });

  it("knows an address of mail whatever the letter case of its domain, as the original does", async () => {
    const account = { username: "jo", email: "jo@NHS.net", firstName: "J", lastName: "O", password: "Enough4XNAT!" };
    const created = await site.call("POST", "/users", account);
    expect(created.json).toMatchObject({ username: "jo", email: "jo@nhs.net" });
    const known = site.xnat.state.users.get("jo");
    if (known === undefined) throw new Error("no account");
    // As an administrator of XNAT typed it.
    known.email = "jo@NHS.net";
    const users = [{ id: HUB.trust_id, email: "jo@nhs.NET" }];
    const { status, json } = await site.call("POST", "/projects/create-project-from-central-hub-project", {
      ...{ ...HUB, project_id: "0d3eb0b1-6959-44a2-8fb5-e07c8f8e2f0f", users },
    });
    expect([status, json]).toEqual([
      200,
      expect.objectContaining({
        created_users: [expect.objectContaining({ username: "jo", email: "jo@nhs.net" })],
        // Invited again, as they never came: that is told, not that they were added.
        added_users: [],
      }),
    ]);
    const change = { email: "jo@NHS.NET", enabled: false };
    expect((await site.call("PUT", "/users", change)).json).toMatchObject({ username: "jo", email: "jo@nhs.net" });
    expect([...site.xnat.state.users.keys()].filter((name) => name.startsWith("jo"))).toEqual(["jo"]);
  });
});
