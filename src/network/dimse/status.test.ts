import { describe, expect, it } from "vitest";
import { type DimseService, describeStatus, GENERAL_STATUSES, SERVICE_STATUSES, statusError } from "./status.ts";

describe("a status", () => {
  it.each([
    ["C-STORE", 0x0000, "success"],
    ["C-STORE", 0xa7fe, "failure"],
    ["C-STORE", 0xb007, "warning"],
    ["C-STORE", 0xc123, "failure"],
    ["C-FIND", 0xff00, "pending"],
    ["C-FIND", 0xff01, "pending"],
    ["C-FIND", 0xfe00, "cancel"],
    ["C-MOVE", 0xb000, "warning"],
    ["C-MOVE", 0xa801, "failure"],
    ["C-GET", 0xa702, "failure"],
    ["C-ECHO", 0x0122, "failure"],
    ["C-ECHO", 0xb123, "warning"],
    ["C-ECHO", 0x1234, "failure"],
  ] as const)("of %s, %i, is %s", (service, status, statusClass) => {
    expect(describeStatus(service, status).class).toBe(statusClass);
  });

  it.each([
    ["C-STORE", 0xa700, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-FIND", 0x0213, "DIMSE_REFUSED_OUT_OF_RESOURCES", "transient"],
    ["C-FIND", 0xa900, "DIMSE_FAILED", "permanent"],
    ["C-MOVE", 0xa801, "MOVE_DESTINATION_UNKNOWN", "permanent"],
    ["C-FIND", 0xfe00, "CANCELLED", "permanent"],
  ] as const)("of %s, %i, is the error %s", (service, status, code, errorClass) => {
    expect(statusError(service, status)).toMatchObject({ code, class: errorClass });
  });

  it("that is no failure is no error", () => {
    expect([0x0000, 0xb000, 0xff00].map((status) => statusError("C-MOVE", status))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

it("lists no status twice for a service", () => {
  for (const service of Object.keys(SERVICE_STATUSES) as DimseService[]) {
    const entries = [...SERVICE_STATUSES[service], ...GENERAL_STATUSES].toSorted((a, b) => a.first - b.first);
    for (const [index, entry] of entries.entries()) {
      expect(entry.first).toBeGreaterThan(entries[index - 1]?.last ?? -1);
    }
  }
});
