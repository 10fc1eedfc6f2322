import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "bench/**/*.test.ts",
      "web/src/**/*.test.ts",
    ],
    exclude: ["test/long/**", "test/chaos/all-kinds.test.ts"],
    setupFiles: ["test/peers/leaks.ts"],
    // Three to ten times what the longest take that say nothing else: where the processor is shared, programs take long to start.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Most tests wait for other processes: every core may take a file.
    maxWorkers: "100%",
  },
});
