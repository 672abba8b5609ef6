import { type ApiClient, logIn } from '../support/apiClient';
import { type Site, type SiteOptions, startSite } from '../support/site';
import type { Row } from './row';
import { openStage } from './stage';

const ROW_TIMEOUT = 20_000;

/** Runs rows as tests against one site of their own, each row with load balancers of its own. */
export function describeRows(subject: string, rows: readonly Row[], options: SiteOptions): void {
  describe(`traffic follows the settings of ${subject}`, () => {
    let site: Site;
    let api: ApiClient;
    beforeAll(async () => {
      site = await startSite(options);
      api = await logIn(site);
    }, 90_000);
    afterAll(() => site.dispose(), 60_000);

    for (const { title, run, timeout = ROW_TIMEOUT } of rows) {
      it(
        title,
        async () => {
          const { stage, end } = openStage(site, api);
          try {
            await run(stage);
          } catch (error) {
            // What went wrong first is what matters.
            await end().catch(() => undefined);
            throw error;
          }
          await end();
        },
        timeout,
      );
    }
  });
}
