import { ABORT_REASON, PduError } from "../upper-layer/pdu.ts";
import type { DataFragment } from "../upper-layer/pdu-reader.ts";
import { type CommandSet, decodeCommandSet, hasDataSet, malformed } from "./command-set.ts";

/** A command set and the presentation context it came on. */
export interface Message {
  readonly contextId: number;
  readonly command: CommandSet;
}

/** Where the data set of a message goes, in order. A promise holds the peer back. */
export interface DataSetReceiver {
  write(bytes: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
  /** Instead of `end`, when the association ends in the middle. */
  abort(): void;
}

/** A command set is a few hundred bytes. */
const MAXIMUM_COMMAND_BYTES = 64 * 1024;
/** Empty ones count nothing towards its length. */
const MAXIMUM_COMMAND_FRAGMENTS = 1_024;

/** Identifiers and lists of failed instances; 100,000 UIDs fit. */
const MAXIMUM_IDENTIFIER_BYTES = 16 * 1024 * 1024;

/** What becomes of a message: a receiver when a data set follows. */
export type Handled = DataSetReceiver | undefined | Promise<DataSetReceiver | undefined>;
export type MessageHandler = (message: Message) => Handled;

/** Joins fragments into command sets and streams of data sets. PS3.7 6.3, PS3.8 E. */
export class MessageReader {
  readonly #isAccepted: (contextId: number) => boolean;
  readonly #onMessage: MessageHandler;
  #command: Buffer[] = [];
  #commandBytes = 0;
  #contextId: number | undefined;
  #receiver: DataSetReceiver | undefined;
  #ended = false;

  constructor(isAccepted: (contextId: number) => boolean, onMessage: MessageHandler) {
    this.#isAccepted = isAccepted;
    this.#onMessage = onMessage;
  }

  /** Part of a message has come, and its end has not. */
  get isWithinMessage(): boolean {
    return this.#contextId !== undefined;
  }

  /** @throws PduError or GatewayError when the peer breaks the protocol. */
  fragment(fragment: DataFragment): void | Promise<void> {
    if (!this.#isAccepted(fragment.contextId)) {
      throw new PduError(
        ABORT_REASON.invalidPduParameterValue,
        "a context that was not accepted",
        "CONTEXT_NOT_ACCEPTED",
      );
    }
    if (this.#contextId !== undefined && fragment.contextId !== this.#contextId) {
      throw malformed("CONTEXT_NOT_ACCEPTED", "a message changes its presentation context");
    }
    this.#contextId = fragment.contextId;
    if (fragment.command === (this.#receiver !== undefined)) {
      throw fragment.command
        ? malformed("COMMAND_OUT_OF_PLACE", "a command before the data set has ended")
        : malformed("DATA_SET_OUT_OF_PLACE", "a data set without a command");
    }
    return fragment.command ? this.#onCommand(fragment) : this.#onDataSet(fragment);
  }

  /** The association is over: whoever waits for the rest of a data set is told. */
  end(): void {
    this.#ended = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.abort();
  }

  #onCommand({ bytes, last, contextId }: DataFragment): void | Promise<void> {
    this.#commandBytes += bytes.length;
    if (this.#commandBytes > MAXIMUM_COMMAND_BYTES) throw malformed("LIMIT_EXCEEDED", "command set is too long");
    if (this.#command.length >= MAXIMUM_COMMAND_FRAGMENTS)
      throw malformed("LIMIT_EXCEEDED", "command set is in too many pieces");
    this.#command.push(Buffer.from(bytes));
    if (!last) return;
    const command = decodeCommandSet(Buffer.concat(this.#command));
    this.#command = [];
    this.#commandBytes = 0;
    const followed = hasDataSet(command);
    if (!followed) this.#contextId = undefined;
    const handled = this.#onMessage({ contextId, command });
    if (handled instanceof Promise) return handled.then((receiver) => this.#expectDataSet(followed, receiver));
    this.#expectDataSet(followed, handled);
  }

  #expectDataSet(followed: boolean, receiver: DataSetReceiver | undefined): void {
    if (followed !== (receiver !== undefined)) {
      const problem = followed ? "a data set where none may be" : "no data set where one is required";
      throw malformed("DATA_SET_OUT_OF_PLACE", problem);
    }
    if (receiver === undefined) return;
    if (this.#ended) receiver.abort();
    else this.#receiver = receiver;
  }

  #onDataSet({ bytes, last }: DataFragment): void | Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const written = bytes.length === 0 ? undefined : receiver.write(bytes);
    if (!last) return written;
    if (written === undefined) return this.#endDataSet(receiver);
    return written.then(() => this.#endDataSet(receiver));
  }

  #endDataSet(receiver: DataSetReceiver): void | Promise<void> {
    // The association may have ended while the last bytes were written.
    if (this.#receiver !== receiver) return;
    this.#receiver = undefined;
    this.#contextId = undefined;
    return receiver.end();
  }
}

/** Holds a small data set in memory. @throws GatewayError DIMSE_PROTOCOL_VIOLATION from `write` when it is not small. */
export function collectDataSet(onComplete: (bytes: Uint8Array) => void | Promise<void>): DataSetReceiver {
  // One buffer that grows: fragments of a byte each would take a hundred times their bytes.
  let held = Buffer.alloc(0);
  let total = 0;
  return {
    write(bytes) {
      const end = total + bytes.length;
      if (end > MAXIMUM_IDENTIFIER_BYTES) throw malformed("LIMIT_EXCEEDED", "identifier is too long");
      if (end > held.length) {
        const larger = Buffer.alloc(Math.max(end, 2 * held.length));
        held.copy(larger, 0, 0, total);
        held = larger;
      }
      held.set(bytes, total);
      total = end;
    },
    end: () => onComplete(held.subarray(0, total)),
    abort: () => {},
  };
}

/** Reads a data set nobody wants. */
export function dropDataSet(onComplete: () => void | Promise<void>): DataSetReceiver {
  return { write: () => {}, end: onComplete, abort: () => {} };
}
