import { describe, expect, it } from "vitest";
import type { Random } from "../../units/random.ts";
import { createEnvelopes, EnvelopeError, isEnvelope, type Keyring } from "./envelope.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const shared: Keyring = { currentKeyId: "shared", keys: new Map([["shared", KEY]]) };
/** Nonce 00 01 … 0b. */
const counting: Random = { next: () => 0, bytes: (count) => Uint8Array.from({ length: count }, (_, index) => index) };
const envelopes = createEnvelopes(shared, counting);

/** The platform's published answer: context `kat`, plaintext `known-answer`. */
const KNOWN_ANSWER =
  "eyJ2IjogMSwgImtpZCI6ICJzaGFyZWQiLCAiaXYiOiAiQUFFQ0F3UUZCZ2NJQ1FvTCIsICJjdCI6ICJMR3k1Ykt2SW8zWCtOdkw1MFo3MFNwSTgzd1NLbGlyaUxJa25PQT09In0=";

const wrapped = (fields: unknown): string => Buffer.from(JSON.stringify(fields)).toString("base64");
const fieldsOf = (envelope: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(envelope, "base64").toString("utf8"));

function refusal(envelope: string, context = "kat"): { readonly code: string; readonly reason: string } {
  try {
    envelopes.open(envelope, context);
  } catch (thrown) {
    if (thrown instanceof EnvelopeError) return { code: thrown.code, reason: thrown.reason };
    throw thrown;
  }
  return { code: "none", reason: "it opened" };
}

describe("envelopes", () => {
  it("gives the platform's known answer, and opens it", () => {
    expect(envelopes.seal("known-answer", "kat")).toBe(KNOWN_ANSWER);
    expect(envelopes.open(KNOWN_ANSWER, "kat")).toBe("known-answer");
  });

  it("opens what it sealed, whatever the text, each time with another nonce", () => {
    const random = createEnvelopes(shared);
    for (const text of ["", "ü 漢字", "x".repeat(10_000)])
      expect(random.open(random.seal(text, "project_id"), "project_id")).toBe(text);
    expect(random.seal("a", "")).not.toBe(random.seal("a", ""));
  });

  const NOT_ONE = { code: "FLIP_ENVELOPE_MALFORMED", reason: "Payload is not a FLIP encryption envelope" };
  const good = fieldsOf(KNOWN_ANSWER);
  it.each([
    ["nothing", ""],
    ["no base64", "a*b"],
    ["base64 of the URL kind", "_-_-"],
    ["no JSON", Buffer.from("x").toString("base64")],
    ["a list", wrapped([])],
    ["a missing field", wrapped({ v: 1, kid: "shared", iv: good.iv })],
    ["a version that is a boolean", wrapped({ ...good, v: true })],
    ["a number for a text", wrapped({ ...good, ct: 5 })],
    ["a nonce that is no base64", wrapped({ ...good, iv: "***" })],
    ["the older format: IV and ciphertext alone", Buffer.alloc(48, 7).toString("base64")],
  ])("are told from %s", (_, text) => {
    expect(refusal(text)).toEqual(NOT_ONE);
    expect(isEnvelope("ACC0001")).toBe(false);
  });

  it("says what else is wrong in the words of the platform", () => {
    expect(refusal(wrapped({ ...good, v: 2 })).reason).toBe("Unsupported payload version: 2");
    expect(refusal(wrapped({ ...good, kid: "old" }))).toEqual({
      code: "FLIP_ENVELOPE_KEY_UNKNOWN",
      reason: "No key registered for kid 'old'",
    });
    expect(refusal(wrapped({ ...good, iv: "AAECAw==" })).reason).toBe("Nonce must be 12 bytes, got 4");
  });

  it.each([
    ["an altered text", wrapped({ ...good, ct: `M${String(good.ct).slice(1)}` }), "kat"],
    ["a text shorter than its tag", wrapped({ ...good, ct: "AAAA" }), "kat"],
    ["another purpose", KNOWN_ANSWER, "project_id"],
    ["no purpose", KNOWN_ANSWER, ""],
  ])("fails authentication for %s", (_, envelope, context) => {
    expect(refusal(envelope, context).code).toBe("FLIP_ENVELOPE_UNAUTHENTIC");
  });

  it("seals with the current key and still opens what an older one sealed", () => {
    const rotated = createEnvelopes({
      currentKeyId: "2026",
      keys: new Map([
        ["shared", KEY],
        ["2026", new Uint8Array(32).fill(9)],
      ]),
    });
    const sealed = rotated.seal("a", "project_id");
    expect(fieldsOf(sealed)).toMatchObject({ v: 1, kid: "2026" });
    expect(rotated.open(sealed, "project_id")).toBe("a");
    expect(rotated.open(KNOWN_ANSWER, "kat")).toBe("known-answer");
    expect(() => envelopes.open(sealed, "project_id")).toThrow();
  });

  it("takes no key of another length", () => {
    expect(() => createEnvelopes({ currentKeyId: "a", keys: new Map([["a", KEY.subarray(0, 16)]]) })).toThrow();
    expect(() => createEnvelopes({ currentKeyId: "b", keys: new Map([["a", KEY]]) })).toThrow();
  });
});
