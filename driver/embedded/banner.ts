/** What the site prints once it serves. */
export interface BannerFacts {
  readonly apiUrl: string;
  readonly authUrl: string;
  readonly cloudsFile: string;
}

/** How to use the site, for people. */
export function renderBanner({ apiUrl, authUrl, cloudsFile }: BannerFacts): string {
  return `
Slipstream is ready.

  load balancer API   ${apiUrl}
  identity            ${authUrl}
  cloud               slipstream (also slipstream-member, slipstream-reader), in ${cloudsFile}

Try it from another terminal:

  export OS_CLIENT_CONFIG_FILE=${cloudsFile}
  openstack --os-cloud slipstream loadbalancer create --name web --vip-subnet-id local --wait
  openstack --os-cloud slipstream loadbalancer listener create --name http --protocol HTTP --protocol-port 8080 --wait web
  openstack --os-cloud slipstream loadbalancer status show web

Ctrl-C stops everything; the next start brings the same load balancers back.
`;
}
