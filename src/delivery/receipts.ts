import { GatewayError } from "../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { Clock } from "../units/clock.ts";
import type { Destination, NoteTranscoding, Receipt, StudyDelivery, TranscodedInstance } from "./destination.ts";
import { fileNameOf } from "./files/layout.ts";
import type { StagedCopy } from "./reading/staged-copy.ts";

/**
 * Delivers a study and proves it: asks what the destination holds, sends the rest, and reads back. Doing it again, also after a crash in
 * the middle, sends nothing twice.
 * @param note told of what is about to be sent in another transfer syntax
 * @throws GatewayError DELIVERY_UNCONFIRMED when not all of it is read back, HOOK_FILES_NOT_TAKEN; errors of the destination
 */
export async function deliverStudy(
  destination: Destination,
  delivery: StudyDelivery,
  clock: Clock,
  signal: AbortSignal,
  note: NoteTranscoding = async () => {},
): Promise<Receipt> {
  const transcoded: TranscodedInstance[] = [];
  const before = await destination.held(delivery, signal);
  const missing = inOrder(delivery.files.filter((file) => !before.has(file.sopInstanceUid)));
  delivery.reading?.expects([...missing, ...(delivery.attached ?? [])]);
  if (missing.length > 0) {
    await destination.send(delivery, missing, signal, async (instances) => {
      for (const instance of instances) transcoded.push(instance);
      await note(instances);
    });
    const after = await destination.held(delivery, signal);
    const lacking = delivery.files.filter((file) => !after.has(file.sopInstanceUid)).length;
    if (lacking > 0) throw new GatewayError("DELIVERY_UNCONFIRMED", { destination: destination.name, lacking });
  }
  const attached = await deliverAttached(destination, delivery, signal);
  const receipt: Receipt = {
    destination: destination.name,
    instances: delivery.files.length,
    ...(transcoded.length === 0 ? {} : { transcoded }),
    ...(attached === 0 ? {} : { attached }),
    proof: destination.proof,
    confirmedAtMs: clock.nowMs(),
  };
  await destination.conclude(delivery, receipt, signal);
  return receipt;
}

/** All that a delivery has to read, in the order in which every destination takes it. */
export function takenInOrder({ files, attached = [] }: StudyDelivery): readonly StagedCopy[] {
  return [...inOrder(files), ...attached];
}

/** As they lie in folders and zips. */
function inOrder(files: readonly DeidentifiedFile[]): readonly DeidentifiedFile[] {
  const named = files.map((file) => ({ file, name: fileNameOf(file) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ file }) => file);
}

/** In the same way as the instances. Returns how many there are. */
async function deliverAttached(
  { name: destination, attachments }: Destination,
  delivery: StudyDelivery,
  signal: AbortSignal,
): Promise<number> {
  const { attached = [] } = delivery;
  if (attached.length === 0) return 0;
  if (attachments === undefined) throw new GatewayError("HOOK_FILES_NOT_TAKEN", { destination });
  const before = await attachments.held(delivery, signal);
  const missing = attached.filter(({ name }) => !before.has(name));
  delivery.reading?.expects(missing);
  if (missing.length === 0) return attached.length;
  await attachments.send(delivery, missing, signal);
  const after = await attachments.held(delivery, signal);
  const lacking = attached.filter(({ name }) => !after.has(name)).length;
  if (lacking > 0) throw new GatewayError("DELIVERY_UNCONFIRMED", { destination, lacking });
  return attached.length;
}
