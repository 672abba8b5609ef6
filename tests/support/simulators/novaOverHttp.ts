import { createNovaDriver } from '../../../driver/clouds/compute/http';
import type { NovaSettings } from '../../../driver/clouds/compute/nova/settings';
import type { ComputeDriver } from '../../../driver/clouds/compute/port';
import type { ImageFilter } from '../../../driver/clouds/image/port';
import { type NovaSimulator, startNova } from './nova';
import type { NovaBehaviour } from './nova/model';
import { aService } from './openstackService';

/** The driver of a Nova over HTTP, and the Nova it talks to. */
export interface NovaOverHttp {
  readonly nova: NovaSimulator;
  readonly driver: ComputeDriver;
  /** Another one of the same Nova, with other settings. */
  driverWith(settings: Partial<NovaSettings>): ComputeDriver;
  close(): Promise<void>;
}

const SETTINGS: NovaSettings = {
  owner: 'slipstream',
  flavorId: 'flavor-1',
  image: { tag: 'engine', ownerId: null },
  networkIds: ['net-mgmt'],
  securityGroupIds: ['sg-mgmt'],
  keyName: null,
  availabilityZone: null,
  antiAffinity: null,
  bootstrap: 'metadata',
};

/** Images have the id `image-` and their tag; those with the tag "missing" are missing. */
const images = {
  findImage: async ({ tag }: ImageFilter) =>
    tag === 'missing'
      ? undefined
      : {
          id: `image-${tag}`,
          name: tag,
          status: 'active',
          tags: [tag],
          ownerId: 'project-service',
          size: 1,
          createdAt: new Date(0),
          visibility: 'private',
          sha512: null,
        },
};

export async function startNovaOverHttp(
  behaviour: Partial<NovaBehaviour> = {},
  maxPage?: number,
): Promise<NovaOverHttp> {
  const nova = await startNova(behaviour, maxPage);
  const service = aService('Nova', nova.url);
  const driverWith = (settings: Partial<NovaSettings>) =>
    createNovaDriver({ service, images, settings: { ...SETTINGS, ...settings } });
  return {
    nova,
    driver: driverWith({}),
    driverWith,
    async close() {
      await service.close();
      await nova.close();
    },
  };
}
