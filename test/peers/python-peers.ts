import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the virtual environment holds, with what each needs: every machine tests with the same. */
export const PYTHON_PACKAGES = [
  "annotated-types==0.8.0",
  "anyio==4.16.0",
  "certifi==2026.10.18",
  "cffi==2.1.1",
  "charset-normalizer==3.5.2",
  "click==8.5.1",
  "cryptography==50.0.2",
  "dicomtrolley==4.1.0",
  "dicomweb-client==0.61.2",
  "graphql-core==3.3.2",
  "harfile==0.6.0",
  "hypothesis-graphql==0.13.5",
  "hypothesis==6.170.15",
  "idna==3.20",
  "iniconfig==2.3.1",
  "Jinja2==3.1.6",
  "jsonpickle==4.1.4",
  "jsonschema_rs==0.60.3",
  "markdown-it-py==4.3.0",
  "MarkupSafe==3.0.4",
  "mdurl==0.1.2",
  "numpy==2.4.6",
  "packaging==26.3",
  "pika==1.4.4",
  "pillow==13.0.0",
  "pluggy==1.7.0",
  "pyasynchat==1.0.4; python_version >= '3.12'",
  "pyasyncore==1.0.4; python_version >= '3.12'",
  "pycparser==3.12",
  "pydantic_core==2.50.4",
  "pydantic==2.14.3",
  "pydicom==3.0.2",
  "pyftpdlib==2.2.0",
  "Pygments==2.21.0",
  "pynetdicom==3.0.4",
  "pyOpenSSL==26.4.0",
  "pyrate-limiter==4.5.1",
  "pytest==9.2.0",
  "PyYAML==6.0.3",
  "requests-futures==1.1.0",
  "requests-toolbelt==1.0.0",
  "requests==2.34.2",
  "retrying==1.4.2",
  "rich==15.0.0",
  "schemathesis==4.32.5",
  "sortedcontainers==2.4.0",
  "SQLAlchemy==2.1.9",
  "typing_extensions==4.16.0",
  "typing-inspection==0.4.5",
  "urllib3==2.8.0",
  "Werkzeug==3.1.9",
] as const;

/** Beside the packages: outside of git, kept from run to run. */
export const PYTHON_FOLDER = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "radferry", "python");

/** Written when all packages are in: a virtual environment without it, or with other ones, is made anew. */
export const PACKAGES_FILE = "radferry-packages.txt";

/** The interpreter of the virtual environment; undefined when it is not there, or not complete. */
export function findPythonPeers(folder = PYTHON_FOLDER): string | undefined {
  const interpreter = join(folder, "bin", "python");
  const list = join(folder, PACKAGES_FILE);
  if (!existsSync(interpreter) || !existsSync(list)) return undefined;
  return readFileSync(list, "utf8") === PYTHON_PACKAGES.join("\n") ? interpreter : undefined;
}

/** Whether tests with pynetdicom and dicomtrolley can run; if not, one line says so. Never fails: they come from a package index that not every machine reaches. */
export function requirePythonPeers(): boolean {
  if (findPythonPeers() !== undefined) return true;
  process.stderr.write(
    "pynetdicom, dicomtrolley and jsonpickle are not installed: their tests are skipped (npm test installs them where pip can)\n",
  );
  return false;
}
