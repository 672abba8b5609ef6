import { randomUUID } from 'node:crypto';
import { createGlanceDriver } from '../../driver/clouds/image/http';
import { describeImageDriver, type ImageTwin } from '../contracts/imageSuite';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { readLab } from './lab';
import { openServices, type Services } from './services';

/** The contract of the image port, as the real Glance keeps it. Each test has a tag of its own. */
let services: Services;
let ours: Session;
let theirs: Session;
beforeAll(async () => {
  const lab = readLab();
  services = openServices(lab);
  ours = await logIn(lab.person('octavia', 'service'));
  theirs = await logIn(lab.person('demo', 'demo'));
});
afterAll(() => services?.close());

const GLANCE: ImageTwin = {
  name: 'Glance',
  open: async () => {
    const tag = `contract-${randomUUID()}`;
    const tagged = async (): Promise<{ id: string; tags: readonly string[] }[]> =>
      (await ours.ask('image', 'GET', '/v2/images?limit=1000')).images.filter((image: { tags: readonly string[] }) =>
        image.tags.some((it) => it.startsWith(tag)),
      );
    return {
      driver: createGlanceDriver(services.open('Glance', 'image')),
      projectId: ours.projectId,
      tag,
      async add({ tag: its, foreign }) {
        // Without content it is queued, whoever it belongs to.
        const image = { name: 'engine', tags: [its], disk_format: 'raw', container_format: 'bare' };
        return (await (foreign ? theirs : ours).ask('image', 'POST', '/v2/images', image)).id;
      },
      count: async () => (await tagged()).length,
      // Glance dates images by the second.
      async nextMoment() {
        const second = Math.floor(Date.now() / 1_000);
        await waitUntil('the second is over', 2_000, () => Math.floor(Date.now() / 1_000) > second);
      },
      async close() {
        for (const { id } of await tagged()) await ours.ask('image', 'DELETE', `/v2/images/${id}`);
      },
    };
  },
};

describeImageDriver(GLANCE);
