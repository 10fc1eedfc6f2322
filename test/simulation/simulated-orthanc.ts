import { createHash } from "node:crypto";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import { STATUS } from "../../src/network/dimse/status.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../../src/network/http-client/types.ts";
import { orAborted } from "../../src/units/abort.ts";
import type { Faults } from "./faults.ts";
import type { HospitalInstance, HospitalStudy } from "./hospital.ts";
import type { Scheduler } from "./scheduler.ts";

/** Two Orthancs: one that keeps what archives send, and one that is told what to fetch from it. */
export interface SimulatedOrthancs {
  readonly raw: HttpClient;
  readonly anon: HttpClient;
  /** Where archives send to. */
  readonly receive: StoreHandler;
  /** SOP Instance UIDs that the first holds. */
  readonly held: ReadonlySet<string>;
}

const MILLISECONDS = { least: 1, most: 30 } as const;

export function createSimulatedOrthancs(
  { scheduler, faults }: { readonly scheduler: Scheduler; readonly faults: Faults },
  studies: readonly HospitalStudy[],
  onTold: (studyInstanceUids: readonly string[]) => void,
): SimulatedOrthancs {
  const held = new Set<string>();
  const answering = (answer: (request: HttpRequest) => unknown): HttpClient => ({
    async request(request) {
      const travel = scheduler.later(scheduler.between(MILLISECONDS.least, MILLISECONDS.most), () => undefined);
      await orAborted(travel, request.signal);
      if (faults.strikes("destination cannot be reached", 0.05)) throw new GatewayError("CONNECTION_FAILED");
      const response = responseOf(answer(request));
      if (faults.strikes("destination's answer is lost", 0.03)) throw new GatewayError("HTTP_CONNECTION_LOST");
      return response;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const instances = studies.flatMap((study) => study.instances);
  return {
    held,
    raw: answering(({ path = "", body }) =>
      lookUp(
        path,
        String(body),
        instances.filter(({ sopInstanceUid }) => held.has(sopInstanceUid)),
      ),
    ),
    anon: answering(({ body }) => {
      const told: { readonly StudyInstanceUIDs: readonly string[] } = JSON.parse(String(body));
      onTold(told.StudyInstanceUIDs);
      return {};
    }),
    receive: async ({ sopInstanceUid }) => ({
      write: () => undefined,
      async close() {
        held.add(sopInstanceUid);
        return STATUS.success;
      },
      abort: () => Promise.resolve(),
    }),
  };
}

/** A resource's name, as Orthanc makes it: SHA-1 in five groups. */
function idOf(uid: string): string {
  return createHash("sha1")
    .update(uid)
    .digest("hex")
    .replace(/(.{8})(?=.)/g, "$1-");
}

function lookUp(path: string, body: string, held: readonly HospitalInstance[]): unknown {
  if (path === "tools/find") {
    const { Query }: { readonly Query: { readonly StudyInstanceUID: string } } = JSON.parse(body);
    const wanted = new Set(Query.StudyInstanceUID.split("\\"));
    const found = new Set(held.map(({ studyInstanceUid }) => studyInstanceUid).filter((uid) => wanted.has(uid)));
    return [...found].map((uid) => ({ ID: idOf(uid), MainDicomTags: { StudyInstanceUID: uid } }));
  }
  const [, study = "", what = ""] = path.split("/");
  const own = held.filter(({ studyInstanceUid }) => idOf(studyInstanceUid) === study);
  if (what === "instances")
    return own.map(({ sopInstanceUid, seriesInstanceUid }) => ({
      ID: idOf(sopInstanceUid),
      ParentSeries: idOf(seriesInstanceUid),
      MainDicomTags: { SOPInstanceUID: sopInstanceUid },
    }));
  return [...new Set(own.map(({ seriesInstanceUid }) => seriesInstanceUid))].map((uid) => ({
    ID: idOf(uid),
    MainDicomTags: { SeriesInstanceUID: uid },
    Instances: [],
  }));
}

function responseOf(value: unknown): HttpResponse {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    status: 200,
    headers: new Map([["content-type", "application/json"]]),
    body: {
      async *[Symbol.asyncIterator]() {
        yield bytes;
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
