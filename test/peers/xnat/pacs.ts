import { type Answer, json, noContent, readObject, textAnswer, type XnatRequest } from "./http.ts";
import type { Pacs } from "./state.ts";

/** `/xapi/pacs`: the registry, its pings and its opening hours. */
export async function answerPacs(request: XnatRequest): Promise<Answer | undefined> {
  const { segments, method, state } = request;
  const [root, kind, id, what] = segments;
  if (root !== "xapi" || kind !== "pacs") return undefined;
  if (id === undefined) return method === "POST" ? await addPacs(request) : json(state.pacs.map(documentOf));
  const pacs = state.pacs.find((each) => `${each.id}` === id);
  if (pacs === undefined) return textAnswer(404, `Unable to find PACS ${id}`);
  if (what === "status") return json(ping(request, pacs));
  if (what === "availability") return availability(pacs);
  if (what !== undefined) return undefined;
  if (method === "DELETE") state.pacs.splice(state.pacs.indexOf(pacs), 1);
  return json(documentOf(pacs));
}

async function addPacs(request: XnatRequest): Promise<Answer> {
  const { state } = request;
  const body = await readObject(request);
  if (body === undefined) return textAnswer(500, "Could not read JSON");
  const isThere = state.pacs.some(({ label }) => label === body.label);
  if (isThere) return textAnswer(500, "could not execute statement");
  const pacs: Pacs = {
    id: state.nextId(),
    aeTitle: `${body.aeTitle}`,
    host: `${body.host}`,
    label: `${body.label}`,
    queryRetrievePort: Number(body.queryRetrievePort),
    queryable: true,
    storable: true,
    availability: [],
  };
  state.pacs.push(pacs);
  return json(documentOf(pacs));
}

function documentOf({ availability: _hours, ...pacs }: Pacs) {
  return {
    ...pacs,
    defaultQueryRetrievePacs: pacs.id === 1,
    defaultStoragePacs: false,
    ormStrategySpringBeanId: "dicomOrmStrategy",
    supportsExtendedNegotiations: false,
    dicomWebEnabled: false,
  };
}

/** A live C-ECHO, which is written down every time. */
function ping({ state, switches }: XnatRequest, { id }: Pacs) {
  const nowMs = Date.now();
  const times = { created: nowMs, timestamp: nowMs, disabled: 0 };
  const successful = switches.pacsAnswers;
  return { id: state.nextId(), pacsId: id, successful, pingTime: nowMs, enabled: true, ...times };
}

/** By day; without any row nothing is ever asked for. */
function availability({ id, availability: rows }: Pacs): Answer {
  if (rows.length === 0) return noContent();
  const days = new Map<string, unknown[]>();
  for (const row of rows) days.set(row.dayOfWeek, [...(days.get(row.dayOfWeek) ?? []), { ...row, pacsId: id }]);
  return json(Object.fromEntries(days));
}
