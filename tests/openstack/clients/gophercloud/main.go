// Does with gophercloud, the library under Terraform's OpenStack provider, what those resources and data sources of the
// provider do that its one released Go module does not have: members as a batch, flavors and their profiles, quotas, and
// look-ups of every kind. The cloud is that of the environment (OS_AUTH_URL, ...). What was read goes out as one JSON
// object; anything refused ends the program with 1.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

const patience = 4 * time.Minute

// report is what was read, by the name of the resource or data source that reads it so.
type report map[string]any

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: gophercloud catalogue NAME PROJECT | balancer NAME SUBNET"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := connect(ctx)
	if err != nil {
		fail(err)
	}
	var found report
	switch os.Args[1] {
	case "catalogue":
		found, err = useCatalogue(ctx, client, os.Args[2], os.Args[3])
	case "balancer":
		found, err = useBalancer(ctx, client, os.Args[2], os.Args[3])
	default:
		err = fmt.Errorf("unknown: %s", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func connect(ctx context.Context) (*gophercloud.ServiceClient, error) {
	options, err := openstack.AuthOptionsFromEnv()
	if err != nil {
		return nil, err
	}
	provider, err := openstack.AuthenticatedClient(ctx, options)
	if err != nil {
		return nil, err
	}
	return openstack.NewLoadBalancerV2(provider, gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// one gives the only element, which a data source insists on.
func one[T any](what string, found []T, err error) (T, error) {
	var none T
	if err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	if len(found) != 1 {
		return none, fmt.Errorf("%s: %d found", what, len(found))
	}
	return found[0], nil
}

// is404 tells whether something is gone.
func is404(err error) bool {
	return gophercloud.ResponseCodeIs(err, 404)
}

func pointer[T any](value T) *T {
	return &value
}
