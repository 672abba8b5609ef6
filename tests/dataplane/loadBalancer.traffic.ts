import { describeRows } from './describeRows';
import { graphRows } from './rows/graph';
import { loadBalancerRows } from './rows/loadBalancer';

describeRows('load balancers', [...loadBalancerRows, ...graphRows], { vipCidr: '127.114.0.0/24' });
