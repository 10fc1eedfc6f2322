import { GatewayError } from "radferry";

/** How a call ended: what it gave, or which error it was, and whether that is one of the package's. */
export async function endOf(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) return { foreign: String(thrown) };
    return { error: thrown.constructor.name, code: thrown.code };
  }
}

export function answer(document: Readonly<Record<string, unknown>>): void {
  process.stdout.write(JSON.stringify(document));
}
