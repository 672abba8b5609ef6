import pino from 'pino';
import { connectKeystone } from '../../driver/clouds/keystone/http/connection';
import { buildLogin } from '../../driver/clouds/keystone/http/credentials';
import { openKeystoneSession } from '../../driver/clouds/keystone/http/session';
import { type OpenstackService, openOpenstackService } from '../../driver/clouds/openstack/service';
import { keystoneSettings } from '../support/simulators/keystoneSettings';
import type { Lab } from './lab';

/** Clients of the lab's services. */
export interface Services {
  open(name: string, type: string): OpenstackService;
  close(): Promise<void>;
}

const OPTIONS = { region_name: 'RegionOne', endpoint_type: 'publicURL', ca_certificates_file: null, insecure: false };

/** Logs in with the first call, as the load balancer's own account unless told otherwise. */
export function openServices(lab: Lab, person = lab.person('octavia', 'service')): Services {
  const log = pino({ level: 'silent' });
  const settings = {
    ...keystoneSettings(lab.authUrl),
    username: person.username,
    password: person.password,
    project_name: person.projectName,
  };
  const connection = connectKeystone(settings, log);
  const login = buildLogin(settings, 'service_auth');
  const session = openKeystoneSession({ connection, authUrl: lab.authUrl, login, log, now: () => new Date() });
  const opened: OpenstackService[] = [];
  return {
    open(name, type) {
      const service = openOpenstackService({ name, types: [type], session, options: OPTIONS, log });
      opened.push(service);
      return service;
    },
    async close() {
      await Promise.all(opened.map((service) => service.close()));
      await connection.close();
    },
  };
}
