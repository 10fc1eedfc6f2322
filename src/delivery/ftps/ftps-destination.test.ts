import { once } from "node:events";
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FtpsPeer, type FtpsPeerOptions, startFtpsPeer } from "../../../test/peers/ftps-server.ts";
import { requirePythonPeers } from "../../../test/peers/python-peers.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { startVsftpd } from "../../../test/peers/vsftpd.ts";
import { readZip } from "../../../test/peers/xnat/zip.ts";
import { deliveryOf, ofOtherOriginal, PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textElement } from "../../dicom/values.ts";
import type { FtpsServer } from "../../network/ftps/ftps-client.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import { deliverStudy } from "../receipts.ts";
import { createFtpsDestination, type FtpsDestinationOptions } from "./ftps-destination.ts";

const signal = neverAborted();
const hasPeer = requirePythonPeers();
const canRunVsftpd = requirePeer("vsftpd") && process.getuid?.() === 0;

interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly peer: FtpsPeer;
  readonly destination: Destination;
  /** Of what the server holds for the project, hidden ones too. */
  names(): Promise<readonly string[]>;
  /** Of the study's zip, as it lies on the server. */
  zip(): Promise<Buffer>;
}

async function sceneOf(
  peerOptions: Partial<FtpsPeerOptions> = {},
  options: Partial<FtpsDestinationOptions> & { readonly serverIs?: Partial<FtpsServer> } = {},
): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder());
  const peer = stack.use(await startFtpsPeer({ folder, security: "implicit", ...peerOptions }));
  const { port, username, password, certificate } = peer;
  const { serverIs, ...others } = options;
  const tls = { certificateAuthorities: certificate.certificate };
  const security = peerOptions.security ?? "implicit";
  const server: FtpsServer = { host: "127.0.0.1", port, security, username, password, tls, ...serverIs };
  const temporary = join(folder, "temporary");
  const destination = stack.use(
    await createFtpsDestination({
      name: "dsh",
      server: async () => server,
      path: "",
      proof: "digest",
      temporaryFolder: temporary,
      ...others,
    }),
  );
  const kept = stack.move();
  return {
    folder,
    peer,
    destination,
    names: () => readdir(join(peer.folder, "trial")),
    zip: () => readFile(join(peer.folder, "trial", `${STUDY}.zip`)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const deliver = (scene: Scene, delivery: StudyDelivery) =>
  deliverStudy(scene.destination, delivery, systemClock, signal);
const namesIn = (zip: Buffer) => readZip(zip).map(({ name }) => name);
const ENTRY = `${PSEUDONYM}/${STUDY}/${SERIES}`;

describe.skipIf(!hasPeer)("an FTPS server as destination", () => {
  it.each(["implicit", "explicit"] as const)("gets one whole zip of a study over %s TLS", async (security) => {
    await using scene = await sceneOf({ security });
    const delivery = await deliveryOf(scene.folder, 3);
    expect(await deliver(scene, delivery)).toMatchObject({ destination: "dsh", instances: 3, proof: "digest" });
    expect(await scene.names()).toEqual([`${STUDY}.zip`]);
    const entries = readZip(await scene.zip());
    expect(entries.map(({ name }) => name)).toEqual([1, 2, 3].map((number) => `${ENTRY}/2.25.3.${number}.dcm`));
    expect(entries[1]?.bytes).toEqual(await readFile(delivery.files[1]?.path ?? ""));
  });

  it("gets nothing again that it holds", async () => {
    await using scene = await sceneOf();
    const delivery = await deliveryOf(scene.folder, 2);
    await deliver(scene, delivery);
    const { ino } = await stat(join(scene.peer.folder, "trial", `${STUDY}.zip`));
    await deliver(scene, delivery);
    expect((await stat(join(scene.peer.folder, "trial", `${STUDY}.zip`))).ino).toBe(ino);
  });

  it("gets the study again when it comes out differently, below the folder that is set", async () => {
    await using scene = await sceneOf({}, { path: "/incoming/images/" });
    await deliver(scene, await deliveryOf(scene.folder, 3));
    const changed = await deliveryOf(scene.folder, 2, [textElement(tags.ImageComments, "new profile")]);
    await deliver(scene, changed);
    const path = join(scene.peer.folder, "incoming/images/trial");
    expect(await readdir(path)).toEqual([`${STUDY}.zip`]);
    expect(readZip(await readFile(join(path, `${STUDY}.zip`))).map(({ bytes }) => bytes)).toEqual(
      await Promise.all(changed.files.map((file) => readFile(file.path))),
    );
  });

  it.each([false, true])("holds one zip of all studies that became one (replacing refused: %s)", async (refuses) => {
    await using scene = await sceneOf({ refusesToReplace: refuses });
    const one = await deliveryOf(scene.folder, 2);
    const other = ofOtherOriginal(one);
    await Promise.all([deliver(scene, one), deliver(scene, other)]);
    expect(await scene.names()).toEqual([`${STUDY}.zip`]);
    expect(namesIn(await scene.zip())).toEqual([
      ...["2.25.3.1", "2.25.3.2"].map((uid) => `${ENTRY}/${uid}.dcm`),
      ...["2.25.4.0", "2.25.4.1"].map((uid) => `${PSEUDONYM}/${STUDY}/2.25.9/${uid}.dcm`),
    ]);
    for (const delivery of [one, other]) expect((await scene.destination.held(delivery, signal)).size).toBe(2);
    expect(await readdir(join(scene.folder, "temporary"))).toEqual([]);
  });

  it("finds again what was set aside when the connection broke", async () => {
    await using scene = await sceneOf({ refusesToReplace: true });
    const one = await deliveryOf(scene.folder, 1);
    await deliver(scene, one);
    const project = join(scene.peer.folder, "trial");
    await rename(join(project, `${STUDY}.zip`), join(project, `.${STUDY}.old`));
    await deliver(scene, ofOtherOriginal(one));
    expect(namesIn(await scene.zip())).toHaveLength(2);
    expect(await scene.names()).toEqual([`${STUDY}.zip`]);
  });

  it("that is cut off in the middle holds nothing under the name, and gets all of it the next time", async () => {
    await using scene = await sceneOf({ cuts: 1, cutAfterBytes: 1_000 });
    const delivery = await deliveryOf(scene.folder, 3, [textElement(tags.ImageComments, "x".repeat(10_000))]);
    await expect(deliver(scene, delivery)).rejects.toMatchObject({ code: "DELIVERY_INTERRUPTED", class: "ambiguous" });
    expect(await scene.names()).toEqual([`.${STUDY}.part`]);
    await deliver(scene, delivery);
    expect(await scene.names()).toEqual([`${STUDY}.zip`]);
    expect(namesIn(await scene.zip())).toHaveLength(3);
  });

  it("is not believed when it says it has stored what it forgets", async () => {
    await using scene = await sceneOf({ forgets: true });
    const delivery = await deliveryOf(scene.folder, 2);
    await expect(deliver(scene, delivery)).rejects.toMatchObject({ code: "DELIVERY_UNCONFIRMED", class: "ambiguous" });
  });

  it("is found out by its contents when something changed them, where they are fetched back", async () => {
    await using scene = await sceneOf({}, { proof: "sha256" });
    const delivery = await deliveryOf(scene.folder, 2);
    expect(await deliver(scene, delivery)).toMatchObject({ proof: "sha256" });
    const zip = await scene.zip();
    zip.writeUInt8(zip.readUInt8(400) ^ 1, 400);
    await writeFile(join(scene.peer.folder, "trial", `${STUDY}.zip`), zip);
    expect(await scene.destination.held(delivery, signal)).toEqual(new Set(["2.25.3.2"]));
    await deliver(scene, delivery);
    expect((await scene.destination.held(delivery, signal)).size).toBe(2);
  });

  it("keeps a file of that name that nobody here delivered", async () => {
    await using scene = await sceneOf();
    const delivery = await deliveryOf(scene.folder, 1);
    await deliver(scene, delivery);
    await writeFile(join(scene.peer.folder, "trial", `${STUDY}.zip`), "somebody else's");
    await expect(deliver(scene, delivery)).rejects.toMatchObject({ code: "DELIVERY_CONFLICT" });
    expect((await scene.zip()).toString()).toBe("somebody else's");
  });

  it("need not know SIZE", async () => {
    await using scene = await sceneOf({ unknownCommands: ["SIZE"] });
    await deliver(scene, await deliveryOf(scene.folder, 1));
    expect(await scene.names()).toEqual([`${STUDY}.zip`]);
  });
});

describe.skipIf(!hasPeer)("an FTPS server", () => {
  const refused = async (scene: Scene) => deliver(scene, await deliveryOf(scene.folder, 1));

  it("whose certificate nobody vouches for gets no password", async () => {
    await using scene = await sceneOf({}, { serverIs: { tls: {} } });
    await expect(refused(scene)).rejects.toMatchObject({ code: "TLS_CERTIFICATE_UNTRUSTED" });
    expect(scene.peer.output()).not.toContain("USER");
  });

  it.each(["implicit", "explicit"] as const)(
    "with a certificate for another name gets no password (%s)",
    async (security) => {
      await using scene = await sceneOf({ security, certificateNames: "DNS:elsewhere.example.org" });
      await expect(refused(scene)).rejects.toMatchObject({ code: "TLS_CERTIFICATE_NAME_WRONG" });
      expect(scene.peer.output()).not.toContain("USER");
    },
  );

  it("with a certificate for the name that is set is taken", async () => {
    await using scene = await sceneOf({ certificateNames: "DNS:ftps.example.org" });
    const tls = { certificateAuthorities: scene.peer.certificate.certificate, serverName: "ftps.example.org" };
    const { port, username, password } = scene.peer;
    await using destination = await createFtpsDestination({
      name: "dsh",
      server: async () => ({ host: "127.0.0.1", port, security: "implicit", username, password, tls }),
      path: "",
      proof: "digest",
      temporaryFolder: join(scene.folder, "other"),
    });
    await deliverStudy(destination, await deliveryOf(scene.folder, 1), systemClock, signal);
    expect(await scene.names()).toHaveLength(1);
  });

  it("that knows us by another password lets us not in", async () => {
    await using scene = await sceneOf({}, { serverIs: { password: "wrong" } });
    await expect(refused(scene)).rejects.toMatchObject({ code: "FTPS_LOGIN_REFUSED", details: { reply: 530 } });
  });

  it("whose files are larger than it says is not read to their end", async () => {
    await using scene = await sceneOf({ liesAboutSizes: true });
    await expect(refused(scene)).rejects.toMatchObject({ code: "FTPS_REFUSED", details: { what: "size" } });
  });

  it("that lets nothing be read back leaves no file open", async () => {
    await using scene = await sceneOf({ permissions: "elfmwadMT" }, { proof: "sha256" });
    await expect(refused(scene)).rejects.toMatchObject({ code: "FTPS_REFUSED" });
    expect(await readdir(join(scene.folder, "temporary"))).toEqual([]);
  });

  it("that may not be written to says so", async () => {
    await using scene = await sceneOf({ permissions: "elr" });
    await expect(refused(scene)).rejects.toMatchObject({ code: "FTPS_REFUSED", class: "permanent" });
  });
});

describe.skipIf(!canRunVsftpd)("vsftpd", () => {
  it.each(["implicit", "explicit"] as const)(
    "gets studies over %s TLS, by sessions that are resumed",
    async (security) => {
      await using folder = await temporaryFolder();
      await using peer = await startVsftpd(security);
      const { port, username, password, certificate } = peer;
      const tls = { certificateAuthorities: certificate.certificate };
      await using destination = await createFtpsDestination({
        name: "dsh",
        server: async () => ({ host: "127.0.0.1", port, security, username, password, tls }),
        path: "incoming",
        proof: "sha256",
        temporaryFolder: join(folder.path, "temporary"),
      });
      const one = await deliveryOf(folder.path, 2);
      for (const delivery of [one, ofOtherOriginal(one), one]) {
        expect(await deliverStudy(destination, delivery, systemClock, signal)).toMatchObject({ proof: "sha256" });
      }
      const project = join(peer.folder, "incoming", "trial");
      expect(await readdir(project)).toEqual([`${STUDY}.zip`]);
      expect(namesIn(await readFile(join(project, `${STUDY}.zip`)))).toHaveLength(4);
    },
  );
});

/** A destination on a server that does what it is told with each connection; its certificate does not matter. */
async function onServer(security: "implicit" | "explicit", accept: (socket: Socket) => void) {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    accept(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  const { port } = server.address() as AddressInfo;
  const login = { username: "radferry", password: "secret", tls: {} };
  const destination = stack.use(
    await createFtpsDestination({
      name: "dsh",
      server: async () => ({ host: "127.0.0.1", port, security, ...login }),
      path: "",
      proof: "digest",
      temporaryFolder: join(path, "temporary"),
    }),
  );
  const kept = stack.move();
  const delivery = await deliveryOf(path, 1);
  return { destination, delivery, close, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe("a server of FTP", () => {
  it("that does not go over to TLS is told nothing more", async () => {
    const said: string[] = [];
    await using scene = await onServer("explicit", (socket) => {
      socket.write("220 ready\r\n");
      socket.on("data", (bytes) => {
        said.push(bytes.toString());
        socket.write("502 not known\r\n");
      });
    });
    const { destination, delivery } = scene;
    await expect(destination.held(delivery, signal)).rejects.toMatchObject({ code: "FTPS_TLS_NOT_OFFERED" });
    await scene.close();
    expect(said.join("")).toMatch(/^AUTH TLS\r\n(?:QUIT\r\n)?$/);
    await expect(destination.held(delivery, signal)).rejects.toMatchObject({
      code: "FTPS_UNAVAILABLE",
      class: "transient",
    });
  });

  it.each(["implicit", "explicit"] as const)(
    "that says nothing is left when the work is stopped (%s)",
    async (security) => {
      const stop = new AbortController();
      await using scene = await onServer(security, () => stop.abort(new Error("stopped")));
      await expect(scene.destination.held(scene.delivery, stop.signal)).rejects.toThrow("stopped");
      await scene.close();
    },
  );

  it.each(["431", "530", "421"])("that answers %s at once is not taken for one", async (reply) => {
    await using scene = await onServer("explicit", (socket) => void socket.write(`${reply} no\r\n`));
    const code = { 431: "FTPS_TLS_NOT_OFFERED", 530: "FTPS_LOGIN_REFUSED", 421: "FTPS_BUSY" }[reply];
    await expect(scene.destination.held(scene.delivery, signal)).rejects.toMatchObject({ code });
    await scene.close();
  });
});
