/** Destinations for programs: `import { createFolderDestination } from "radferry/delivery"`. Everything else is free to change. */

export type { Destination, Receipt, StudyDelivery } from "./delivery/destination.ts";
export { createDimseDestination, type DimseDestinationOptions } from "./delivery/dimse/dimse-destination.ts";
export { createFolderDestination } from "./delivery/folder/folder-destination.ts";
