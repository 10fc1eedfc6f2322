import { expect, it } from "vitest";

it("offers these functions and classes to other programs", async () => {
  expect(Object.keys(await import("./rad69.ts")).sort()).toEqual([
    "DicomTrolleyError",
    "NonInstanceParameterError",
    "Rad69",
    "Rad69ServerError",
    "XdsMissingDocumentError",
    "basicAuthentication",
    "bearerAuthentication",
    "createRad69Client",
    "fileSource",
    "instanceReferences",
    "openHttpClient",
    "openInstanceFolder",
    "retrieveInstances",
    "startRad69Responder",
    "vitreaSession",
  ]);
});
