/** An item of an A-ASSOCIATE PDU: type, reserved byte, length, value. PS3.8 9.3.2. @throws RangeError beyond 65,535 bytes. */
export function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(type, 0), ...lengthAndBytes(body)]);
}

export function textItem(type: number, text: string): Buffer {
  return item(type, Buffer.from(text, "latin1"));
}

/** A field behind its length. @throws RangeError beyond 65,535 bytes. */
export function lengthAndBytes(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length > 0xffff) throw new RangeError(`an item of ${bytes.length} bytes: at most 65535 fit`);
  return [uint16(bytes.length), bytes];
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
