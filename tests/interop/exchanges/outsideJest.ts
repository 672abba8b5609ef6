/** The test support registers clean-ups with jest; outside of it there is nobody to call them. */
const globals = globalThis as { afterAll?: (cleanUp: () => unknown) => void };
globals.afterAll ??= () => undefined;

export {};
