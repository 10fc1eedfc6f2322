import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REDACTED, redactFields, redactText } from "./redact.ts";

const NOBODY: ReadonlySet<string> = new Set();

describe("redactFields", () => {
  it.each<[string, unknown]>([
    ["code", "TIMED_OUT"],
    ["project", "lung-ct"],
    ["archive", "vna.site-1"],
    ["job", "0d6f2a1c-7a1e-4a58-9f0e-2f2e31a1a111"],
    ["status", 0xa701],
    ["status", "A900H"],
    ["reason", 2],
    ["reason", "no-address"],
    ["unexpected", "A-ABORT"],
    ["meaning", "local limit exceeded"],
    ["problem", "a data set without a command"],
    ["passedOver", "DICOM_MALFORMED 3, DICOM_TRUNCATED 1"],
    ["remoteHost", "fe80::1%eth0"],
    ["durationMs", 12.5],
    ["state", "not-found"],
    ["peer", "VNA@10.0.0.5:104"],
    ["sopClass", "1.2.840.10008.5.1.4.1.1.2"],
    ["done", true],
  ])("lets %s pass as %s", (name, value) => {
    expect(redactFields({ [name]: value }, NOBODY)).toEqual({ [name]: value });
  });

  it.each<[string, unknown, string]>([
    ["patientId", "4711", "the name is not listed"],
    ["studies", "4711", "a count is a number"],
    ["code", "no route to 1.2.3.4.5.6", "a code has no blanks"],
    ["state", "DOE^JANE", "a state is a word of ours"],
    ["status", "4711", "a status is a number, or four digits and an H"],
    ["reason", "Doe, Jane", "a reason is a number, a code or a word of ours"],
    ["unexpected", "DOE-JANE", "it is no PDU"],
    ["meaning", "Jane Doe", "no rejection says so"],
    ["problem", "a data set of Jane Doe", "it is none of our texts"],
    ["passedOver", "DICOM_MALFORMED 3, DOE^JANE 1", "it counts something else than codes"],
    ["project", "1.2.276.0.7230010.3.1.2", "it looks like a UID"],
    ["archive", "2.25.329800735698586629295641978511506172918", "it looks like a UID"],
    ["sopClass", "1.2.276.0.7230010.3.1.2", "its root is not the standard's"],
    ["job", { patient: "DOE^JANE" }, "it is no single value"],
    ["cohort", ["DOE^JANE"], "it is no single value"],
  ])("replaces %s = %s: %s", (name, value) => {
    expect(redactFields({ [name]: value }, NOBODY)).toEqual({ [name]: REDACTED });
  });

  it("keeps no name that might itself be data", () => {
    expect(redactFields({ "DOE^JANE": 1, "4711": 1, event: "x" }, NOBODY)).toEqual({ unnamed: REDACTED });
  });

  it("replaces what was registered as an identifier, whatever field it is in", () => {
    const identifiers = new Set(["MRN0042", "JANE DOE"]);
    const fields = { worker: "MRN0042", job: "a-1", peer: "MRN0042@h:1", aeTitle: "JANE DOE" };
    expect(redactFields(fields, identifiers)).toEqual({
      worker: REDACTED,
      job: "a-1",
      peer: REDACTED,
      aeTitle: REDACTED,
    });
  });

  it("lets nothing pass under an unlisted name", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, value) => {
        const safe = redactFields({ [`x${name}`]: value }, NOBODY);
        return Object.values(safe).every((shown) => shown === REDACTED);
      }),
    );
  });
});

describe("redactText", () => {
  it.each([
    ["listener started", "listener started"],
    ["study 1.2.276.0.7230010.3.1.2 lost", `study ${REDACTED} lost`],
    ["class 1.2.840.10008.5.1.4.1.1.2 refused", "class 1.2.840.10008.5.1.4.1.1.2 refused"],
    ["peer 10.0.0.5 gone", "peer 10.0.0.5 gone"],
    ["not ours 1.2.840.100081.1.2", `not ours ${REDACTED}`],
    ["patient MRN0042 gone", REDACTED],
  ])("makes of %j %j", (text, shown) => {
    expect(redactText(text, new Set(["MRN0042"]))).toBe(shown);
  });
});
