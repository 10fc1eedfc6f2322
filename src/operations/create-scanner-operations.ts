import { listScanResults, openScanFile, verifyScanResult } from "./scan-results.ts";
import {
  cancelScanTask,
  createScanTask,
  listScanners,
  listScanSequences,
  listScanTasks,
  releaseScanFiles,
  retryScanTask,
  showScanTask,
} from "./scan-tasks.ts";
import type { ScannerContext, ScannerOperations } from "./scanner-operations.ts";

/** Over a store, without a look at roles: for the desk of a home, and within `createOperations`, which asks for the permission first. */
export function createScannerOperations(context: ScannerContext): ScannerOperations {
  return {
    listScanners: () => listScanners(context),
    listScanSequences: () => listScanSequences(context),
    listScanTasks: (filter) => listScanTasks(context, filter),
    showScanTask: (id) => showScanTask(context, id),
    createScanTask: (wish) => createScanTask(context, wish),
    cancelScanTask: (id) => cancelScanTask(context, id),
    retryScanTask: (id) => retryScanTask(context, id),
    releaseScanFiles: (id) => releaseScanFiles(context, id),
    listScanResults: (filter) => listScanResults(context, filter),
    verifyScanResult: (id) => verifyScanResult(context, id),
    openScanFile: (id, name) => openScanFile(context, id, name),
  };
}
