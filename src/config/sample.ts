import { Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { settingDescriptions } from "./settings-table.ts";

const OBJECT_STORE = {
  kind: "s3",
  endpoint: "https://objects.example.org",
  region: "us-east-1",
  accessKeyId: "radferry",
  pathStyle: true,
  authoritiesFile: "tls/hospital-ca.pem",
};

const OUR_TLS = { certificateFile: "tls/radferry.pem", keyFile: "tls/radferry.key" };
const HOSPITAL_TLS = { authoritiesFile: "tls/hospital-ca.pem", ...OUR_TLS };

/** An example of every setting this version has; the comments come from the manifest. */
const EXAMPLE = {
  home: "/var/lib/radferry",
  store: {
    kind: "postgres",
    urlFile: "secrets/database-url",
    replicaUrlFile: "secrets/replica-url",
    authoritiesFile: "tls/hospital-ca.pem",
    connections: 10,
    statementTimeoutSeconds: 30,
  },
  node: {
    ...{ name: "north", roles: ["receiver", "worker", "http"], sharedAeTitle: true, port: 11113, host: "10.0.0.7" },
    tls: { ...HOSPITAL_TLS, serverName: "north.example.org" },
  },
  dicom: {
    aeTitle: "RADFERRY",
    host: "0.0.0.0",
    port: 11_112,
    tls: {
      certificateFile: "tls/radferry.pem",
      keyFile: "tls/radferry.key",
      clientAuthoritiesFile: "tls/hospital-ca.pem",
      port: 2_762,
      only: false,
    },
    maximumAssociations: 100,
    maximumPduLength: 131_072,
    acceptUnknownSopClasses: true,
    transferSyntaxes: ["ExplicitVRLittleEndian", "ImplicitVRLittleEndian"],
    peers: [
      {
        callingAeTitles: ["VNA"],
        addresses: ["10.0.0.0/8"],
        calledAeTitles: ["RADFERRY"],
        sopClasses: ["Verification", "CTImageStorage"],
        transferSyntaxes: ["ExplicitVRLittleEndian"],
      },
    ],
    users: [{ username: "vna", passwordFile: "secrets/vna-as-client" }],
  },
  http: {
    host: "127.0.0.1",
    port: 8_080,
    tls: OUR_TLS,
    oidc: {
      name: "University account",
      issuer: "https://login.example.org/realms/research",
      clientId: "radferry",
      clientSecretFile: "secrets/oidc-client-secret",
      redirectBaseUrl: "https://radferry.example.org",
      authoritiesFile: "tls/hospital-ca.pem",
      scopes: ["openid", "profile"],
      nameClaim: "preferred_username",
      claim: "groups",
      roles: [
        { value: "imaging-admins", role: "admin" },
        { value: "lung-ct-team", role: "operator", projects: ["lung-ct"] },
      ],
      leastRole: "none",
      sessionHours: 12,
      endWithIdToken: true,
    },
  },
  imagingSource: {
    host: "127.0.0.1",
    port: 2_525,
    repositoryUniqueId: "1.3.6.1.4.1000",
    profile: "ihe",
    lenient: false,
  },
  compat: {
    flip: { host: "0.0.0.0", port: 8_000, environmentFile: "secrets/flip.env" },
    pixl: { host: "0.0.0.0", port: 8_001, environmentFile: "secrets/pixl.env" },
    scanhub: { host: "0.0.0.0", port: 8_002, environmentFile: "secrets/scanhub.env" },
  },
  access: { commandLineRole: "admin" },
  retry: { attempts: 60, firstDelaySeconds: 5, maximumDelaySeconds: 900 },
  staging: {
    path: "/var/lib/radferry/staging",
    reserveGigabytes: 20,
    keepDays: 3,
    shred: false,
    shared: { ...OBJECT_STORE, bucket: "radferry", prefix: "outbox", secretAccessKeyFile: "secrets/outbox-secret" },
  },
  observe: { traces: { url: "http://127.0.0.1:4318/v1/traces", share: 1 } },
  archives: [
    {
      name: "vna",
      kind: "dimse",
      address: "VNA@vna.example.org:104",
      retrieve: "move",
      tls: { ...HOSPITAL_TLS, serverName: "vna.example.org" },
      user: { username: "radferry", passwordFile: "secrets/vna-password" },
      availability: {
        timeZone: "Europe/London",
        windows: ["Mon-Fri 20:00-08:00", "Sat-Sun 00:00-24:00"],
        associations: 4,
        studiesPerMinute: 30,
        bytesPerSecond: 20_000_000,
      },
    },
    {
      name: "pacs-web",
      kind: "dicomweb",
      url: "https://pacs.example.org/dicom-web",
      tokenFile: "secrets/pacs-token",
      username: "radferry",
      passwordFile: "secrets/pacs-password",
      clientCertificateFile: "tls/radferry.pem",
      clientKeyFile: "tls/radferry.key",
      authoritiesFile: "tls/hospital-ca.pem",
      answerTimeoutSeconds: 300,
    },
    {
      name: "imaging-source",
      kind: "rad69",
      url: "https://vitrea.example.org:2525/rids",
      repositoryUniqueId: "1.3.6.1.4.1000",
      search: "vna",
    },
    {
      name: "trust-xnat",
      kind: "xnat-dqr",
      url: "https://xnat.example.org",
      project: "radferry",
      pacs: 1,
      receiver: "XNAT:8104",
      username: "radferry",
      passwordFile: "secrets/xnat-password",
    },
    {
      name: "pacs-by-orthanc",
      kind: "orthanc",
      url: "http://orthanc.example.org:8042",
      modality: "PACS",
    },
    { name: "scanners", kind: "folder", path: "/data" },
  ],
  destinations: [
    { name: "research-store", kind: "folder", path: "/data/research", layout: "files" },
    {
      name: "viewer",
      kind: "dimse",
      address: "STORE@127.0.0.1:4242",
      confirm: "find",
      tls: { authoritiesFile: "tls/viewer-ca.pem", ...OUR_TLS, serverName: "viewer.example.org" },
      user: { username: "radferry", passwordFile: "secrets/viewer-password" },
    },
    {
      name: "web-store",
      kind: "dicomweb",
      url: "https://store.example.org/dicom-web",
      tokenFile: "secrets/store-token",
      username: "radferry",
      passwordFile: "secrets/store-password",
      clientCertificateFile: "tls/radferry.pem",
      clientKeyFile: "tls/radferry.key",
      authoritiesFile: "tls/hospital-ca.pem",
      answerTimeoutSeconds: 300,
    },
    {
      name: "xnat",
      kind: "xnat",
      url: "https://xnat.example.org",
      username: "radferry",
      passwordFile: "secrets/xnat-password",
      project: "lung-ct",
      into: "archive",
      upload: "dicom-zip",
      overwrite: "append",
      proof: "uids",
    },
    {
      name: "safe-haven",
      kind: "ftps",
      host: "ftps.example.org",
      port: 990,
      security: "implicit",
      username: "radferry",
      passwordFile: "secrets/safe-haven-password",
      folder: "incoming",
      authoritiesFile: "tls/safe-haven-ca.pem",
      readBack: "directory",
    },
    {
      name: "partner",
      kind: "sftp",
      host: "sftp.example.org",
      port: 22,
      username: "radferry",
      passwordFile: "secrets/partner-password",
      privateKeyFile: "keys/partner",
      passphraseFile: "secrets/partner-passphrase",
      hostKeys: ["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"],
      folder: "incoming",
      layout: "files",
      readBack: "directory",
    },
    {
      name: "lake",
      ...OBJECT_STORE,
      bucket: "research",
      prefix: "images",
      secretAccessKeyFile: "secrets/lake-secret",
      readBack: "sums",
    },
  ],
  codecs: [{ transferSyntaxes: ["JPEGBaseline8Bit"], command: ["codecs/decode-jpeg"], timeoutSeconds: 120 }],
  notifications: [
    {
      name: "operators",
      kind: "mail",
      host: "mail.example.org",
      port: 587,
      tls: "starttls",
      username: "radferry",
      passwordFile: "secrets/mail-password",
      from: "radferry@example.org",
      to: ["imaging-operators@example.org"],
      events: ["archive-down", "archive-back", "staging-low", "study-failed", "study-quarantined"],
      projects: ["lung-ct"],
      digestMinutes: 60,
      templatesFile: "templates.yaml",
      authoritiesFile: "tls/hospital-ca.pem",
    },
    {
      name: "tracker",
      kind: "webhook",
      url: "https://tracker.example.org/radferry",
      secretFile: "secrets/tracker-secret",
      events: ["cohort-done"],
    },
  ],
  intake: {
    quietSeconds: 120,
    longestSeconds: 7_200,
    commitTo: ["CT1@10.0.0.21:104"],
    rules: [
      { name: "no-reports", modalities: ["SR"], refuse: "Reports are not taken here" },
      {
        name: "lung-scanners",
        callingAeTitles: ["CT1", "CT2"],
        calledAeTitles: ["RADFERRY"],
        moveOriginatorAeTitles: ["WORKSTATION1"],
        addresses: ["10.0.0.0/8"],
        modalities: ["CT"],
        stationNames: ["SCANNER1"],
        descriptions: ["lung", "thorax"],
        values: [{ keyword: "BodyPartExamined", value: "CHEST" }],
        project: "lung-ct",
        archive: "vna",
      },
      { name: "routers", tokens: ["router"], project: "lung-ct" },
    ],
  },
  projects: [
    {
      name: "lung-ct",
      archives: ["vna"],
      destinations: ["research-store", "viewer"],
      profile: "research",
      keyFile: "keys/lung-ct.key",
      linkageKeyFile: "keys/lung-ct-linkage.key",
      partial: "hold",
      maximumStudiesPerRequest: 5,
      accessionNumbersUnique: true,
      pseudonyms: {
        mode: "pixl",
        hashKeyFile: "secrets/pixl-hash-key",
        projectSaltFile: "secrets/pixl-lung-ct-salt",
        localSaltFile: "secrets/pixl-local-salt",
        lookupFile: "lookup.csv",
        mergePatients: false,
      },
      optOut: ["opt-out.csv"],
      filters: { modalities: ["CT"], minimumInstancesPerSeries: 2, excludeSeriesDescriptions: ["localizer"] },
      hook: {
        command: ["hooks/deface", "--model", "fast"],
        timeoutSeconds: 3_600,
        outputs: "instances",
        filesTo: ["research-store"],
        maximumOutputMegabytes: 4_096,
        maximumOutputFiles: 10_000,
        maximumMemoryMegabytes: 16_000,
        maximumCpuSeconds: 7_200,
        network: "none",
        parallel: 1,
      },
    },
  ],
};

/** What many sites do without: it stands in the file as a comment, ready to be taken in. */
const TAKEN_OUT = new Set([
  ...["store", "node", "dicom.tls", "dicom.transferSyntaxes"],
  "dicom.peers",
  "dicom.users",
  "http.tls",
  "http.oidc",
  "imagingSource",
  "staging.shared",
  "intake",
  "notifications",
  "observe",
  "compat",
  "archives[].tls",
  "archives[].user",
  "archives[].availability",
  "archives[1]",
  "archives[2]",
  "archives[3]",
  "destinations[2]",
  "destinations[3]",
  "destinations[4]",
  "destinations[5]",
  "destinations[6]",
  "destinations[].tls",
  "destinations[].user",
  "projects[].linkageKeyFile",
  "projects[].pseudonyms",
  "projects[].optOut",
  "projects[].hook",
]);

const HEADER = ` Settings of Radferry. Paths may be relative to this file. What is left out has its default.
 Lines that begin with # and no blank behind it are settings: take the # away to use them.
 Check them with: radferry config check`;

/** A commented file to begin with. It passes the check, except for the key it names. */
export function sampleSettings(): string {
  const document = new Document(EXAMPLE);
  document.commentBefore = HEADER;
  const descriptions = settingDescriptions();
  annotate(document.contents, "", new Set(), descriptions);
  return takeOut(document.toString({ lineWidth: 0 }));
}

/** Makes comments of the groups that are taken out, line by line; comments inside them stay as they are. */
function takeOut(text: string): string {
  const lineCounter = new LineCounter();
  const ranges = [...rangesOf(parseDocument(text, { lineCounter }).contents, "")];
  const isInside = (line: number): boolean =>
    ranges.some(([begin, end]) => line >= lineCounter.linePos(begin).line && line < lineCounter.linePos(end).line);
  return text
    .split("\n")
    .map((line, index) => (isInside(index + 1) ? line.replace(/^(\s*)(?=[^\s#])/, "$1#") : line))
    .join("\n");
}

/** Where the groups that are taken out begin, and where the next thing does. */
function* rangesOf(node: unknown, path: string): Generator<readonly [number, number]> {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      if (isMap(item) && item.range != null && TAKEN_OUT.has(`${path}[${index}]`)) yield [item.range[0], item.range[2]];
      else yield* rangesOf(item, `${path}[]`);
    }
  }
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (!isScalar(key) || key.range == null) continue;
    const at = path === "" ? String(key.value) : `${path}.${String(key.value)}`;
    if (!TAKEN_OUT.has(at)) yield* rangesOf(value, at);
    // A single value ends with its line.
    else if (isScalar(value) && value.range != null) yield [key.range[0], value.range[1] + 1];
    else if ((isMap(value) || isSeq(value)) && value.range != null) yield [key.range[0], value.range[2]];
  }
}

/** Writes each description before the first place where its setting stands. */
function annotate(node: unknown, path: string, done: Set<string>, descriptions: ReadonlyMap<string, string>): void {
  if (isSeq(node)) for (const item of node.items) annotate(item, `${path}[]`, done, descriptions);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const at = path === "" ? String(key.value) : `${path}.${String(key.value)}`;
    const description = descriptions.get(at);
    if (description !== undefined && !done.has(at)) key.commentBefore = ` ${description}`;
    done.add(at);
    if (isSeq(value) && value.items.every(isScalar)) value.flow = true;
    annotate(value, at, done, descriptions);
  }
}
