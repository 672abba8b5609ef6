import pino from 'pino';
import { connectKeystone } from '../../../driver/clouds/keystone/http/connection';
import { buildLogin } from '../../../driver/clouds/keystone/http/credentials';
import { openKeystoneSession } from '../../../driver/clouds/keystone/http/session';
import { createNeutronDriver } from '../../../driver/clouds/network/http';
import type { NetworkDriver } from '../../../driver/clouds/network/port';
import { openOpenstackService } from '../../../driver/clouds/openstack/service';
import { keystoneSettings } from './keystoneSettings';
import { type CloudFaces, startCloudFaces } from './startCloudFaces';

/** The driver of a Neutron over HTTP, and the cloud it talks to: the embedded one behind its HTTP face. */
export interface NeutronOverHttp {
  readonly driver: NetworkDriver;
  readonly cloud: CloudFaces;
  close(): Promise<void>;
}

export async function startNeutronOverHttp(): Promise<NeutronOverHttp> {
  const log = pino({ level: 'silent' });
  const cloud = await startCloudFaces();
  const settings = { ...keystoneSettings(cloud.authUrl), project_name: 'service' };
  const connection = connectKeystone(settings, log);
  const login = buildLogin(settings, 'service_auth');
  const session = openKeystoneSession({ connection, authUrl: cloud.authUrl, login, log, now: () => new Date() });
  const options = { region_name: null, endpoint_type: 'publicURL', ca_certificates_file: null, insecure: false };
  const service = openOpenstackService({ name: 'Neutron', types: ['network'], session, options, log });
  return {
    driver: createNeutronDriver(service),
    cloud,
    async close() {
      await service.close();
      await connection.close();
      await cloud.close();
    },
  };
}
