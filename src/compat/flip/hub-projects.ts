import { randomUUID } from "node:crypto";
import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import type { Random } from "../../units/random.ts";
import type { Envelopes } from "./envelope.ts";
import { createProject, type XnatProject } from "./projects.ts";
import { addHubUsers, type CreatedUser, type HubUser, type XnatUser } from "./users.ts";
import { unexpectedStatus, type Xnat, type XnatRequest } from "./xnat.ts";

/** A project of the hub, for which one in XNAT is made. */
export interface HubProject {
  readonly project_id: string;
  readonly project_name: string;
  readonly users: readonly HubUser[];
  readonly dicom_to_nifti: boolean;
}

export interface CreatedHubProject {
  readonly project: XnatProject;
  readonly createdUsers: readonly CreatedUser[];
  readonly addedUsers: readonly XnatUser[];
}

/** 4: all into the archive, nothing that exists is replaced. */
const ARCHIVE_AND_IGNORE_EXISTING = "4";

/** @throws HttpError 400 when it exists; GatewayError of the exchange */
export async function createHubProject(
  services: {
    readonly xnat: Xnat;
    readonly envelopes: Envelopes;
    readonly random: Random;
    readonly image: string;
    readonly signal: AbortSignal;
  },
  hub: HubProject,
): Promise<CreatedHubProject> {
  const { xnat, image, signal } = services;
  const wanted = {
    id: randomUUID(),
    secondaryId: hub.project_id,
    name: `${hub.project_name}:${hub.project_id}-FL-Project`,
    description: `Project corresponding to central hub project ${hub.project_id}`,
  };
  const project = await createProject(xnat, wanted, signal);
  const path = xnatPath("data", "projects", project.ID, "prearchive_code", ARCHIVE_AND_IGNORE_EXISTING);
  await demand(xnat, { method: "PUT", path, signal });
  await convertScans(xnat, project.ID, { image, active: hub.dicom_to_nifti, signal });
  const { created, added } = await addHubUsers(services, hub.users, project.ID);
  return { project, createdUsers: created, addedUsers: added };
}

const commands = z.array(z.object({ id: z.int(), xnat: z.array(z.object({ name: z.string() })).min(1) })).min(1);
const SCAN_EVENT = "org.nrg.xnat.eventservice.events.ScanEvent";

/** New scans of the project are converted to NIfTI by XNAT's container service; not active, it can be switched on there. */
async function convertScans(
  xnat: Xnat,
  projectId: string,
  { image, active, signal }: { readonly image: string; readonly active: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const answer = await xnat.json({ path: "xapi/commands", query: { image }, signal });
  const [command] = commands.safeParse(answer).data ?? [];
  const wrapper = command?.xnat[0]?.name;
  if (command === undefined || wrapper === undefined)
    throw new TransportError("HTTP_JSON_INVALID", { what: "command" });
  const tools = ["xapi", "projects", projectId] as const;
  const path = xnatPath(...tools, "commands", `${command.id}`, "wrappers", wrapper, "enabled");
  await demand(xnat, { method: "PUT", path, signal });
  const subscription = {
    name: "DICOM-NIfTI Conversion",
    "event-selector": `${SCAN_EVENT}:CREATED`,
    "action-key": `org.nrg.containers.services.CommandActionProvider:${command.id}`,
    attributes: {},
    active,
    "event-filter": {
      "event-type": SCAN_EVENT,
      status: "CREATED",
      "project-ids": [projectId],
      "payload-filter": '(@.resources.length() > 0 && "DICOM" in @.resources[*].label)',
    },
    "act-as-event-user": false,
  };
  const subscribe = xnatPath(...tools, "events", "subscription");
  await demand(xnat, { method: "POST", path: subscribe, json: subscription, signal }, [200, 201]);
}

async function demand(xnat: Xnat, request: XnatRequest, statuses: readonly number[] = [200]): Promise<void> {
  const { status } = await xnat.ask(request);
  if (!statuses.includes(status)) throw unexpectedStatus(status);
}
