import { describe, expect, it } from "vitest";
import { type AcceptorPolicy, contextsOfAnswer, decideAssociation, proposeAssociation } from "./negotiation.ts";
import { type AssociateAccept, type AssociateRequest, PduError, REJECTION, type UserInformation } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import { encodePdu } from "./pdu-encoder.ts";
import { decodeIdentity, type UserIdentity } from "./user-identity.ts";

const titles = { calledAeTitle: "CALLED", callingAeTitle: "CALLING" };
const sopClass = "1.2.840.10008.5.1.4.1.1.2";
const [explicit, implicit] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

/** An acceptor that takes everything, in either role, in the first transfer syntax. */
const lenient: AcceptorPolicy = {
  roles: () => ({ scu: true, scp: true }),
  chooseTransferSyntax: (_, [first]) => first,
  maximumPduLength: 16_384,
  refusal: () => undefined,
  confirmsUsers: true,
};

function propose(role: "scu" | "scp" | "both" = "scu", userIdentity?: UserIdentity): AssociateRequest {
  const proposal = { abstractSyntaxUid: sopClass, transferSyntaxUids: [explicit, implicit], role };
  return proposeAssociation(titles, [proposal], 16_384, { userIdentity });
}

function accepted(request: AssociateRequest, policy: Partial<AcceptorPolicy> = {}): AssociateAccept {
  const { answer } = decideAssociation(request, { ...lenient, ...policy });
  if ("reject" in answer) throw new Error("rejected");
  return answer.accept;
}

function withUserInformation<T extends AssociateAccept | AssociateRequest>(
  pdu: T,
  changes: Partial<UserInformation>,
): T {
  return { ...pdu, userInformation: { ...pdu.userInformation, ...changes } };
}

const [neither, scu, scp, both] = [
  { scu: false, scp: false },
  { scu: true, scp: false },
  { scu: false, scp: true },
  { scu: true, scp: true },
];

/** PS3.7 D.3.3.4: what the requestor asks for, what the acceptor offers, and what both sides hold to be agreed. */
describe("roles", () => {
  it.each([
    ["nothing asked", "scu", both, "1/0"],
    ["the SCP role asked and offered", "scp", both, "0/1"],
    ["the SCP role asked and not offered", "scp", scu, "none"],
    ["both asked and offered", "both", both, "1/1"],
    ["both asked, one offered", "both", scp, "0/1"],
    ["both asked, the other offered", "both", scu, "1/0"],
    ["nothing asked, only the SCP role offered", "scu", scp, "none"],
  ] as const)("with %s", (_, asked, offered, agreed) => {
    const request = propose(asked);
    const { answer, contexts } = decideAssociation(request, { ...lenient, roles: () => offered });
    if ("reject" in answer) throw new Error("rejected");
    const seen = [contexts, contextsOfAnswer(request, answer.accept)].map(([context]) =>
      context === undefined ? "none" : `${Number(context.requestorIsScu)}/${Number(context.requestorIsScp)}`,
    );
    expect(seen).toEqual([agreed, agreed]);
  });

  it("are answered only for classes that were asked about", () => {
    expect(accepted(propose()).userInformation.roleSelections).toEqual([]);
    expect(accepted(propose("scp")).userInformation.roleSelections).toEqual([{ sopClassUid: sopClass, ...scp }]);
  });

  it.each([
    ["more than was asked", "scp", both, "0/1"],
    ["what nobody asked", "scu", both, "1/0"],
    ["nothing", "both", neither, "0/0"],
  ] as const)("are not changed by an answer that grants %s", (_, asked, granted, agreed) => {
    const request = propose(asked);
    const answer = withUserInformation(accepted(request), { roleSelections: [{ sopClassUid: sopClass, ...granted }] });
    const [context] = contextsOfAnswer(request, answer);
    expect(`${Number(context?.requestorIsScu)}/${Number(context?.requestorIsScp)}`).toBe(agreed);
  });

  it("are those by default when the answer does not speak of them", () => {
    const request = propose("scp");
    const answer = withUserInformation(accepted(request), { roleSelections: [] });
    expect(contextsOfAnswer(request, answer)).toMatchObject([{ requestorIsScu: true, requestorIsScp: false }]);
  });
});

/** PS3.7 D.3.3.7, table D.3-14. */
describe("a user's identity", () => {
  const identities: readonly UserIdentity[] = [
    { kind: "username", username: "Müller", positiveResponseRequested: true },
    { kind: "username-passcode", username: "reader", passcode: "geheim", positiveResponseRequested: true },
    { kind: "kerberos", token: Uint8Array.of(0, 1, 255), positiveResponseRequested: true },
    { kind: "saml", token: Buffer.from("<Assertion/>"), positiveResponseRequested: false },
    { kind: "jwt", token: Buffer.from("e30.e30."), positiveResponseRequested: false },
  ];

  it.each(identities.map((identity) => [identity.kind, identity] as const))("travels: %s", (_, identity) => {
    const request = decodePdu(0x01, encodePdu(propose("scu", identity)).subarray(6));
    const item = request.kind === "A-ASSOCIATE-RQ" ? request.userInformation.userIdentity : undefined;
    expect(item && decodeIdentity(item)).toEqual(
      "token" in identity ? { ...identity, token: Uint8Array.from(identity.token) } : identity,
    );
  });

  it.each([
    ["asked for, and the acceptor looks at users", true, true, new Uint8Array(0)],
    ["asked for, and the acceptor looks at nobody", true, false, undefined],
    ["not asked for", false, true, undefined],
  ])("is confirmed when that is %s", (_, positiveResponseRequested, confirmsUsers, response) => {
    const request = propose("scu", { kind: "username", username: "reader", positiveResponseRequested });
    expect(accepted(request, { confirmsUsers }).userInformation.userIdentityResponse).toEqual(response);
  });

  it("must be confirmed when that was asked for", () => {
    const request = propose("scu", { kind: "username", username: "reader", positiveResponseRequested: true });
    expect(() => contextsOfAnswer(request, accepted(request, { confirmsUsers: false }))).toThrow(
      expect.objectContaining({ code: "USER_NOT_CONFIRMED", details: {} }),
    );
    expect(contextsOfAnswer(request, accepted(request))).toHaveLength(1);
  });

  it("of a type the standard does not have is nobody's", () => {
    const nothing = new Uint8Array(0);
    const item = { type: 6, positiveResponseRequested: false, primary: nothing, secondary: nothing };
    expect(decodeIdentity(item)).toBeUndefined();
  });

  it("that is too long for its item is refused before anything is sent", () => {
    const identity: UserIdentity = { kind: "saml", token: new Uint8Array(65_536) };
    expect(() => propose("scu", identity)).toThrow(RangeError);
  });
});

describe("an answer", () => {
  const request = propose();
  const sound = accepted(request);
  const [context] = sound.contexts;
  if (context === undefined) throw new Error("no context");

  it.each([
    ["a context that was not proposed", { ...context, id: 3 }],
    ["a transfer syntax that was not proposed", { ...context, transferSyntaxUid: "1.2.840.10008.1.2.2" }],
  ])("that accepts %s is a breach", (_, changed) => {
    const thrown = expect.objectContaining({ violation: "ASSOCIATION_ANSWER_INVALID" });
    expect(() => contextsOfAnswer(request, { ...sound, contexts: [changed] })).toThrow(PduError);
    expect(() => contextsOfAnswer(request, { ...sound, contexts: [changed] })).toThrow(thrown);
  });

  it.each([1, 2, 3, 4])("that refuses a context with result %i leaves it out", (result) => {
    expect(contextsOfAnswer(request, { ...sound, contexts: [{ ...context, result, transferSyntaxUid: "" }] })).toEqual(
      [],
    );
  });
});

describe("an acceptor", () => {
  it("answers a window of operations with 1, and only when asked", () => {
    const window = { invoked: 0, performed: 8 };
    const asked = withUserInformation(propose(), { asynchronousOperationsWindow: window });
    expect(accepted(asked).userInformation.asynchronousOperationsWindow).toEqual({ invoked: 1, performed: 1 });
    const unasked = withUserInformation(propose(), { asynchronousOperationsWindow: undefined });
    expect(accepted(unasked).userInformation.asynchronousOperationsWindow).toBeUndefined();
  });

  it("answers no extended negotiation, common or not", () => {
    const extendedNegotiations = [{ sopClassUid: sopClass, information: Uint8Array.of(1) }];
    const common = { sopClassUid: sopClass, serviceClassUid: "1.2.840.10008.4.2", relatedGeneralSopClassUids: [] };
    const request = withUserInformation(propose(), { extendedNegotiations, commonExtendedNegotiations: [common] });
    const { userInformation } = accepted(request);
    expect([userInformation.extendedNegotiations, userInformation.commonExtendedNegotiations]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["an abstract syntax it does not have", { roles: () => undefined }, 3],
    ["no transfer syntax that it has", { chooseTransferSyntax: () => undefined }, 4],
    ["roles it does not have", { roles: () => neither }, 1],
  ])("refuses a context with %s", (_, policy, result) => {
    expect(accepted(propose(), policy).contexts).toMatchObject([{ id: 1, result }]);
  });

  it("rejects another application context, whatever else is right", () => {
    const request = { ...propose(), applicationContextUid: "1.2.3" };
    expect(decideAssociation(request, lenient).answer).toEqual({ reject: REJECTION.applicationContextNotSupported });
  });
});

it("proposes extended negotiation as it is given", () => {
  const proposal = { abstractSyntaxUid: sopClass, transferSyntaxUids: [explicit] };
  const extendedNegotiation = new Map([[sopClass, Uint8Array.of(2, 0, 0)]]);
  const request = proposeAssociation(titles, [proposal], 16_384, { extendedNegotiation });
  expect(decodePdu(0x01, encodePdu(request).subarray(6))).toMatchObject({
    userInformation: { extendedNegotiations: [{ sopClassUid: sopClass, information: Uint8Array.of(2, 0, 0) }] },
  });
});

it.each([0, 129])("proposes no association with %i contexts", (count) => {
  const proposal = { abstractSyntaxUid: sopClass, transferSyntaxUids: [explicit] };
  expect(() => proposeAssociation(titles, new Array(count).fill(proposal), 16_384)).toThrow(RangeError);
});
