/** Protocol data units, byte by byte. PS3.8 9.3. */

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];
const filled = (count: number, byte = 0x00): number[] => new Array<number>(count).fill(byte);

/** "1.2.840.10008.3.1.1.1", 21 bytes. PS3.7 A.2.1. */
const applicationContext = [0x10, 0x00, ...[0x00, 0x15], ...ascii("1.2.840.10008.3.1.1.1")];
/** "1.2.840.10008.1.1", 17 bytes: verification. */
const abstractSyntax = [0x30, 0x00, ...[0x00, 0x11], ...ascii("1.2.840.10008.1.1")];
/** "1.2.840.10008.1.2", 17 bytes: implicit VR little endian. */
const transferSyntax = [0x40, 0x00, ...[0x00, 0x11], ...ascii("1.2.840.10008.1.2")];
const userInformation = [
  ...[0x50, 0x00], // item type, reserved
  ...[0x00, 0x1d], // length 29
  ...[0x51, 0x00, 0x00, 0x04], // maximum length item
  ...[0x00, 0x00, 0x40, 0x00], // 16384
  ...[0x52, 0x00, 0x00, 0x09], // implementation class UID item
  ...ascii("1.2.3.4.5"),
  ...[0x55, 0x00, 0x00, 0x04], // implementation version name item
  ...ascii("TEST"),
];
const titles = [...ascii("CALLED".padEnd(16)), ...ascii("CALLING".padEnd(16))];

function pdu(type: number, body: readonly number[]): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Uint8Array.of(type, 0x00, ...length, ...body);
}

/** Proposes context 1, verification in implicit VR little endian. PS3.8 9.3.2. */
export const associateRequestPdu = pdu(0x01, [
  ...[0x00, 0x01], // protocol version
  ...[0x00, 0x00], // reserved
  ...titles,
  ...filled(32), // reserved
  ...applicationContext,
  ...[0x20, 0x00], // presentation context item, reserved
  ...[0x00, 0x2e], // length 46
  ...[0x01, 0x00, 0x00, 0x00], // id 1, reserved
  ...abstractSyntax,
  ...transferSyntax,
  ...userInformation,
]);

/** Accepts a context, 1 unless said, in a transfer syntax, implicit VR little endian unless said. PS3.8 9.3.3. */
export function associateAcceptPdu(contextId = 0x01, syntax = "1.2.840.10008.1.2"): Uint8Array {
  return pdu(0x02, [
    ...[0x00, 0x01], // protocol version
    ...[0x00, 0x00], // reserved
    ...titles,
    ...filled(32), // reserved
    ...applicationContext,
    ...[0x21, 0x00], // presentation context item, reserved
    ...[0x00, 4 + 4 + syntax.length], // length
    ...[contextId, 0x00, 0x00, 0x00], // id, reserved, acceptance, reserved
    ...[0x40, 0x00, 0x00, syntax.length], // transfer syntax item
    ...ascii(syntax),
    ...userInformation,
  ]);
}

/** PS3.8 9.3.4. */
export function associateRejectPdu(result: number, source: number, reason: number): Uint8Array {
  return pdu(0x03, [0x00, result, source, reason]);
}

export const releaseRequestPdu = pdu(0x05, filled(4));
export const releaseResponsePdu = pdu(0x06, filled(4));

/** PS3.8 9.3.8. */
export function abortPdu(source: number, reason: number): Uint8Array {
  return pdu(0x07, [0x00, 0x00, source, reason]);
}

/** One presentation data value; `control` 0x01: command, 0x02: last fragment. PS3.8 9.3.5, E.2. */
export function dataPdu(contextId: number, control: number, fragment: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(fragment.length + 2);
  return pdu(0x04, [...length, contextId, control, ...fragment]);
}
