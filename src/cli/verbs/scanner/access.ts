import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { createUserToken, registerDevice } from "../../../compat/scanhub/tokens.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import type { Role } from "../../../units/actor.ts";
import { syncFolder } from "../../../units/durable-files.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { writeWholeFile } from "../../write-whole-file.ts";
import { isoTime, openDesk, PAGE, printRows } from "./desk.ts";

export interface RegisterOptions {
  readonly description: string;
  readonly credentials?: string;
}

export interface TokenOptions {
  readonly role: Role;
  readonly user: string;
}

export async function listDevices(cli: Cli): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  await printRows(
    cli,
    desk.operations.listScanners(),
    ["ID", "NAME", "STATUS", "REVOKED"],
    ({ id, name, status, deaf, revokedAt }) => [
      id,
      name,
      deaf ? `${status} (does not respond)` : status,
      revokedAt ?? "",
    ],
  );
  return EXIT.fine;
}

async function note({ audit, actor }: ScannerDesk, detail: Readonly<Record<string, string>>): Promise<void> {
  await audit.record({ event: "scanner-access-changed", actor, outcome: "success", detail });
}

export async function register(cli: Cli, name: string, options: RegisterOptions): Promise<ExitCode> {
  if (name.trim() === "") throw new GatewayError("USAGE_INVALID", { problem: "the scanner's name is empty" });
  await using desk = await openDesk(cli);
  const { device, token } = await registerDevice(desk, { name, description: options.description });
  await note(desk, { what: "scanner registered", scanner: device.id });
  const credentials = { device_token: token, device_id: device.id };
  if (options.credentials === undefined) {
    await cli.printer.document(credentials, () => [JSON.stringify(credentials)]);
    return EXIT.fine;
  }
  const file = resolve(cli.world.workingFolder, options.credentials);
  if (!cli.isRehearsal()) {
    await writeWholeFile(file, Readable.from([`${JSON.stringify(credentials)}\n`])).catch(async (thrown: unknown) => {
      // Nobody was told the token: a scanner that nobody can be does not stay.
      await desk.store.revokeScanDevice(device.id, desk.clock.nowMs());
      await note(desk, { what: "scanner revoked", scanner: device.id });
      throw thrown;
    });
    // As far as the file system has it: the file is whole.
    await syncFolder(dirname(file)).catch(() => undefined);
  }
  await cli.printer.document({ device_id: device.id, file }, () => [`scanner ${device.id}; credentials in ${file}`]);
  return EXIT.fine;
}

export async function revokeDevice(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  if (!(await desk.store.revokeScanDevice(id, desk.clock.nowMs()))) throw new GatewayError("SCAN_DEVICE_NOT_FOUND");
  await note(desk, { what: "scanner revoked", scanner: id });
  await cli.printer.document({ id, revoked: true }, () => [`scanner ${id} is revoked`]);
  return EXIT.fine;
}

export async function createToken(cli: Cli, { role, user }: TokenOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const { id, token } = await createUserToken(desk, { user, role });
  await note(desk, { what: "token made", token: id, role });
  // The token alone, so that it can go into a file; what it is called is a remark.
  await cli.printer.document({ id, user, role, token }, () => [token]);
  if (!cli.printer.json) cli.printer.note(`${id} of ${user} (${role}); it is shown this once`);
  return EXIT.fine;
}

export async function listTokens(cli: Cli): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const tokens = (await desk.store.listScanTokens(PAGE)).map(({ id, user, role, createdAtMs, revokedAtMs }) => ({
    id,
    user,
    role,
    createdAt: isoTime(createdAtMs),
    revokedAt: isoTime(revokedAtMs),
  }));
  await printRows(cli, tokens, ["ID", "USER", "ROLE", "MADE", "REVOKED"], (token) => [
    token.id,
    token.user,
    token.role,
    token.createdAt ?? "",
    token.revokedAt ?? "",
  ]);
  return EXIT.fine;
}

export async function revokeToken(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  if (!(await desk.store.revokeScanToken(id, desk.clock.nowMs())))
    throw new GatewayError("USAGE_INVALID", { problem: "there is no token of this id, or it was revoked before" });
  await note(desk, { what: "token revoked", token: id });
  await cli.printer.document({ id, revoked: true }, () => [`${id} is revoked`]);
  return EXIT.fine;
}
