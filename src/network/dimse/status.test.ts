import { describe, expect, it } from "vitest";
import { type DimseService, describeStatus, GENERAL_STATUSES, SERVICE_STATUSES, statusError } from "./status.ts";

/** Ranges of statuses by class, as the standard lists them, written down a second time. */
type Pinned = Readonly<Record<string, readonly (number | readonly [number, number])[]>>;

/** PS3.7 C.1 to C.5. */
const GENERAL: Pinned = {
  success: [0x0000],
  warning: [0x0107, 0x0116],
  failure: [
    ...[0x0105, 0x0106, 0x0110, 0x0111, 0x0112, 0x0113, 0x0114, 0x0115, 0x0117, 0x0118, 0x0119],
    ...[0x0120, 0x0121, 0x0122, 0x0123, 0x0124, 0x0210, 0x0211, 0x0212, 0x0213],
  ],
  cancel: [0xfe00],
};

const FRAME_FAILURES = [0xaa00, 0xaa01, 0xaa02, 0xaa03, 0xaa04];
const SERVICES: Readonly<Record<DimseService, Pinned>> = {
  // PS3.4 A.4
  "C-ECHO": {},
  // PS3.4 table B.2-1
  "C-STORE": {
    warning: [0xb000, 0xb006, 0xb007],
    failure: [
      [0xa700, 0xa7ff],
      [0xa900, 0xa9ff],
      [0xc000, 0xcfff],
    ],
  },
  // PS3.4 table C.4-1, with C.6.4.1.1 for the response limit
  "C-FIND": {
    warning: [0xb001],
    failure: [0xa700, 0xa710, 0xa900, [0xc000, 0xcfff]],
    pending: [0xff00, 0xff01],
  },
  // PS3.4 table C.4-2, with Y.4.1.1.4
  "C-MOVE": {
    warning: [0xb000],
    failure: [0xa701, 0xa702, 0xa801, 0xa900, ...FRAME_FAILURES, [0xc000, 0xcfff]],
    pending: [0xff00],
  },
  // PS3.4 table C.4-3, with Y.4.2.1.4
  "C-GET": {
    warning: [0xb000],
    failure: [0xa701, 0xa702, 0xa900, ...FRAME_FAILURES, [0xc000, 0xcfff]],
    pending: [0xff00],
  },
  // PS3.4 J.3.2.1.4 and J.3.3.1.4: the general ones
  "N-ACTION": {},
  "N-EVENT-REPORT": {},
};

function rangesOf(pinned: Pinned): readonly string[] {
  return Object.entries(pinned)
    .flatMap(([statusClass, codes]) =>
      codes.map((code) => {
        const [first, last] = typeof code === "number" ? [code, code] : code;
        return `${first} ${last} ${statusClass}`;
      }),
    )
    .toSorted();
}

describe("the tables", () => {
  const listed = (entries: typeof GENERAL_STATUSES): readonly string[] =>
    entries.map((entry) => `${entry.first} ${entry.last} ${entry.class}`).toSorted();

  it("have the general statuses of the standard, and no others", () => {
    expect(listed(GENERAL_STATUSES)).toEqual(rangesOf(GENERAL));
  });

  it.each(Object.keys(SERVICES) as DimseService[])("have those of %s, and no others", (service) => {
    expect(listed(SERVICE_STATUSES[service])).toEqual(rangesOf(SERVICES[service]));
  });

  it("list no status twice for a service", () => {
    for (const service of Object.keys(SERVICE_STATUSES) as DimseService[]) {
      const entries = [...SERVICE_STATUSES[service], ...GENERAL_STATUSES].toSorted((a, b) => a.first - b.first);
      for (const [index, entry] of entries.entries()) {
        expect(entry.first).toBeGreaterThan(entries[index - 1]?.last ?? -1);
      }
    }
  });
});

describe("a status", () => {
  it.each([
    ["C-STORE", 0x0000, "success"],
    ["C-STORE", 0xa7fe, "failure"],
    ["C-STORE", 0xb007, "warning"],
    ["C-STORE", 0xc123, "failure"],
    ["C-FIND", 0xff01, "pending"],
    ["C-FIND", 0xfe00, "cancel"],
    ["N-ACTION", 0x0123, "failure"],
  ] as const)("of %s, %i, is %s", (service, status, statusClass) => {
    expect(describeStatus(service, status).class).toBe(statusClass);
  });

  it.each([
    ["C-ECHO", 0x0001, "warning"],
    ["C-ECHO", 0xb123, "warning"],
    ["C-ECHO", 0x0199, "failure"],
    ["C-ECHO", 0x02ff, "failure"],
    ["C-ECHO", 0xa123, "failure"],
    ["C-ECHO", 0x1234, "failure"],
    ["C-MOVE", 0xff01, "pending"],
    // No operation of one answer goes on after it.
    ["C-STORE", 0xff00, "failure"],
    ["N-ACTION", 0xff00, "failure"],
    ["C-MOVE", 0x1_0000, "failure"],
  ] as const)("in no table, of %s, %i, is %s by its range", (service, status, statusClass) => {
    expect(describeStatus(service, status).class).toBe(statusClass);
  });

  it.each([
    ["C-STORE", 0xa700, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-FIND", 0x0213, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-FIND", 0xa7fe, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-MOVE", 0xa701, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-GET", 0xa702, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["N-ACTION", 0x0213, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-STORE", 0x0111, "DIMSE_INSTANCE_DUPLICATE", "ambiguous"],
    ["C-FIND", 0xa710, "DIMSE_FAILED", "permanent"],
    ["C-FIND", 0xa900, "DIMSE_FAILED", "permanent"],
    ["C-STORE", 0xc000, "DIMSE_FAILED", "permanent"],
    ["C-STORE", 0x0124, "DIMSE_FAILED", "permanent"],
    ["C-MOVE", 0xa801, "MOVE_DESTINATION_UNKNOWN", "permanent"],
    ["C-FIND", 0xfe00, "CANCELLED", "permanent"],
  ] as const)("of %s, %i, is the error %s, which is %s", (service, status, code, errorClass) => {
    expect(statusError(service, status)).toMatchObject({ code, class: errorClass });
  });

  it("that is no failure is no error", () => {
    expect([0x0000, 0x0107, 0xb000, 0xff00].map((status) => statusError("C-MOVE", status))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
