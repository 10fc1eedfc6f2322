import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { playScript, startScriptedPeer } from "./scripted-peer.ts";

/** A-RELEASE-RQ: type, reserved, length, reserved. PS3.8 9.3.6. */
const releaseRequest = Uint8Array.of(0x05, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00);

/** A-ABORT by the provider, reason 2 "unexpected PDU". PS3.8 9.3.8. */
const abort = Uint8Array.of(
  ...[0x07, 0x00], // PDU type, reserved
  ...[0x00, 0x00, 0x00, 0x04], // length
  ...[0x00, 0x00], // reserved
  ...[0x02, 0x02], // source: service provider, reason: unexpected PDU
);

it("answers a release request with an abort when its script says so", async () => {
  await using peer = await startScriptedPeer([{ expectPdu: 0x05 }, { send: abort }, { abruptly: "end" }]);
  const socket = connect(peer.port, "127.0.0.1");
  socket.write(releaseRequest);
  const [answer] = await once(socket, "data");
  expect([...answer]).toEqual([...abort]);
  socket.destroy();
});

it("closes on a PDU that its script does not expect, and says so", async () => {
  await using peer = await startScriptedPeer([{ expectPdu: 0x01 }, { send: abort }]);
  expect(await playScript(peer.port, [{ send: releaseRequest }, { expectEnd: true }])).toEqual([]);
  expect(peer.received.map((pdu) => pdu[0])).toEqual([0x05]);
  await expect(peer.played).rejects.toThrow("PDU of type 1 expected, not 5");
});
