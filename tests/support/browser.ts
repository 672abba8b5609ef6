import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** A headless Chromium of the system, with windows that share nothing. */
export interface BrowserSession {
  /** A window of a user of its own: no cookie is shared with another. */
  newWindow(): Promise<Page>;
  close(): Promise<void>;
}

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** For anything to appear: a cold page compiles its templates. */
const PATIENCE = 120_000;

/** Starts Chromium. @throws when there is none */
export async function openBrowser(): Promise<BrowserSession> {
  const executablePath = CANDIDATES.find((file) => existsSync(file));
  if (executablePath === undefined) throw new Error('there is no Chromium: install the package chromium');
  const browser: Browser = await chromium.launch({
    executablePath,
    // Its own sandbox does not work for root, and a small /dev/shm ends it.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  return {
    async newWindow() {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-US' });
      context.setDefaultTimeout(PATIENCE);
      return context.newPage();
    },
    close: () => browser.close(),
  };
}
