import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, type TestCertificate } from "../peers/certificates.ts";
import { freePort } from "../peers/free-port.ts";
import { type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { ctStudy, studiesOf, submit } from "../support/rehearsal.ts";
import { makeSite, type Site } from "../support/site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const study = ctStudy(43);
const canRun = requirePeer("Orthanc") && requirePeer("openssl");

describe.skipIf(!canRun)("a site that speaks TLS alone, with an Orthanc that does too", () => {
  const running = new AsyncDisposableStack();
  afterAll(() => running.disposeAsync());
  let ours: TestCertificate;
  let orthanc: OrthancServer;
  let site: Site;

  beforeAll(async () => {
    const { path } = running.use(await temporaryFolder());
    ours = await makeCertificate(path, "ours");
    const theirs = await makeCertificate(path, "theirs");
    const [unused, tlsPort] = [await freePort(), await freePort()];
    orthanc = running.use(
      await startOrthanc({
        aeTitle: "ORTHANC",
        moveDestinations: [{ aeTitle: "RADFERRY", port: tlsPort }],
        tls: { ...theirs, authoritiesFile: ours.certificateFile, isMutual: true },
      }),
    );
    for (const { file } of study.instances)
      await fetch(`http://127.0.0.1:${orthanc.httpPort}/instances`, { method: "POST", body: new Uint8Array(file) });
    const own = { certificateFile: ours.certificateFile, keyFile: ours.keyFile };
    const address = `ORTHANC@127.0.0.1:${orthanc.port}`;
    const peer = { address, tls: { ...own, authoritiesFile: theirs.certificateFile } };
    site = running.use(
      await makeSite({
        archives: [{ name: "archive", retrieve: "move", ...peer }],
        moreDestinations: [{ name: "viewer", kind: "dimse", ...peer }],
        dicomPort: unused,
        dicom: {
          tls: { ...own, clientAuthoritiesFile: theirs.certificateFile, port: tlsPort, only: true },
          peers: [{ callingAeTitles: ["ORTHANC"], addresses: ["127.0.0.0/8"], sopClasses: ["CTImageStorage"] }],
        },
      }),
    );
  }, 60_000);

  it("is examined by doctor, which says how long certificates last", async () => {
    const { document } = await site.run("doctor");
    const checks = document.checks as readonly {
      readonly check: string;
      readonly ok: boolean;
      readonly code?: string;
    }[];
    const failing = checks.filter(({ ok }) => !ok).map(({ check, code }) => `${check}: ${code}`);
    // The certificates of this test last two days.
    expect(failing).toEqual([
      "our listener's certificate is in order: CERTIFICATE_EXPIRES_SOON",
      "TLS with archive archive is in order: CERTIFICATE_EXPIRES_SOON",
      "TLS with destination viewer is in order: CERTIFICATE_EXPIRES_SOON",
    ]);
    expect(checks.find(({ check }) => check.includes("move destination"))).toMatchObject({
      message: "yes: it sent to our listener",
    });
    expect(document.letters).toMatchObject([{ line: expect.stringContaining("with TLS, showing its certificate") }]);
  });

  it("retrieves and delivers", async () => {
    const { exitCode } = await submit(site, [study], "--wait");
    expect({ exitCode, studies: await studiesOf(site) }).toMatchObject({
      exitCode: 0,
      studies: [{ state: "delivered", verdict: "complete", delivered: study.instances.length }],
    });
    const held = await fetch(`http://127.0.0.1:${orthanc.httpPort}/studies`);
    expect(await held.json()).toHaveLength(2);
  });
});
