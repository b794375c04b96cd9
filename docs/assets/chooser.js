/* The chooser ("Which should I use?") of chooser.md: answers go in, a recommendation with reasons, a manifest and links comes out.
   Read it as data: questions, platforms, outcomes, rules (the first that fits wins) and notes (all that fit). The decision table in
   chooser.md says the same in words; a test compares them. It asks no server, and data reaches the page through textContent only. */
(function () {
  "use strict";
  if (window.portsideChooser) return; // instant navigation may run scripts again
  const script = document.currentScript;
  const root = new URL("../", script ? script.src : document.baseURI); // this file lies in assets/

  // Questions: id, words, answers (value, words, hint), and the answer to begin with where there is a usual one.
  const questions = [
    {
      id: "where",
      text: "Where does the cluster run?",
      answers: [
        ["eks", "AWS (EKS)"],
        ["gke", "Google Cloud (GKE)"],
        ["aks", "Azure (AKS)"],
        ["cloud", "DigitalOcean or another cloud"],
        ["metal", "Own servers, no cloud"],
        ["home", "Home lab (k3s)"],
        ["local", "My own computer (kind, minikube)"],
      ],
    },
    {
      id: "who",
      text: "Who must reach it?",
      answers: [
        ["public", "The internet"],
        ["private", "The company network or a VPN"],
        ["me", "Only me, while I work on it"],
        ["pods", "Only other pods of the cluster"],
      ],
    },
    {
      id: "protocol",
      text: "Which protocol does it speak?",
      answers: [
        ["http", "HTTP, HTTPS, WebSocket or gRPC"],
        ["tcp", "Other TCP (database, MQTT, SSH)"],
        ["udp", "UDP (DNS, games, voice)"],
        ["several", "HTTP and TCP or UDP"],
      ],
    },
    {
      id: "count",
      text: "How many services?",
      usual: "few",
      answers: [
        ["one", "One"],
        ["few", "Two to five"],
        ["many", "More than five"],
      ],
    },
    {
      id: "edge",
      text: "What shall the entry do?",
      usual: "layer7",
      answers: [
        ["none", "Nothing: pass the traffic on"],
        ["layer7", "Route by host or path, or end TLS"],
        ["pass", "Pass TLS on undecrypted"],
      ],
    },
    {
      id: "teams",
      text: "Who shares the cluster?",
      usual: "one",
      answers: [
        ["one", "One team"],
        ["several", "Several teams or tenants"],
      ],
    },
    {
      id: "budget",
      text: "What may load balancers cost?",
      usual: "one",
      answers: [
        ["each", "One for every service is fine"],
        ["one", "As few as possible"],
        ["zero", "Nothing: no paid load balancer"],
      ],
    },
    {
      id: "have",
      text: "What runs there already?",
      usual: "none",
      answers: [
        ["none", "Nothing yet"],
        ["ingress", "A maintained Ingress controller"],
        ["nginx", "The community ingress-nginx"],
        ["gateway", "A Gateway API implementation"],
      ],
    },
  ];

  // Platforms: what a LoadBalancer Service needs for a public or a private address, and the classes of the platform's own entries.
  const aws = "service.beta.kubernetes.io/aws-load-balancer-";
  const platforms = {
    eks: {
      public: { class: "service.k8s.aws/nlb", annotations: { [aws + "scheme"]: "internet-facing", [aws + "nlb-target-type"]: "ip" } },
      private: { class: "service.k8s.aws/nlb", annotations: { [aws + "scheme"]: "internal", [aws + "nlb-target-type"]: "ip" } },
      gateway: { public: "aws-alb", private: "aws-alb" },
      ingress: "alb",
    },
    gke: {
      public: { class: "networking.gke.io/l4-regional-external" },
      private: { annotations: { "networking.gke.io/load-balancer-type": "Internal" } },
      gateway: { public: "gke-l7-global-external-managed", private: "gke-l7-rilb" },
      ingress: null, // GKE reads the annotation kubernetes.io/ingress.class
    },
    aks: {
      public: {},
      private: { annotations: { "service.beta.kubernetes.io/azure-load-balancer-internal": "true" } },
      gateway: { public: "approuting-istio", private: "approuting-istio" },
      ingress: "traefik",
    },
    cloud: {
      public: {},
      private: { annotations: { "service.beta.kubernetes.io/do-loadbalancer-network": "INTERNAL" } },
      gateway: { public: "eg", private: "eg" },
      ingress: "traefik",
    },
    metal: {
      public: { annotations: { "metallb.io/address-pool": "public" } },
      private: { annotations: { "metallb.io/address-pool": "private" } },
      gateway: { public: "eg", private: "eg" },
      ingress: "traefik",
    },
    home: { public: {}, private: {}, gateway: { public: "eg", private: "eg" }, ingress: "traefik" },
    local: { public: {}, private: {}, gateway: { public: "cloud-provider-kind", private: "cloud-provider-kind" }, ingress: "traefik" },
  };
  const clouds = ["eks", "gke", "aks", "cloud"];

  // Rules: the first whose every condition holds decides. "when" names the answers that fit; a question that is not named does not matter.
  const layer4 = ["tcp", "udp"];
  const rules = [
    { use: "cluster-ip", when: { who: ["pods"] }, why: "Only pods call it, and a cluster address needs no load balancer." },
    { use: "port-forward", when: { who: ["me"], protocol: ["http", "tcp", "several"] }, why: "For one person a tunnel through the API server is enough, and nothing is published." },
    { use: "host-port", when: { where: clouds, budget: ["zero"], protocol: ["http", "several"], edge: ["none", "layer7"] }, why: "Without a paid load balancer the proxy can take ports 80 and 443 of the nodes themselves." },
    { use: "node-port", when: { where: clouds, budget: ["zero"] }, why: "Without a paid load balancer a node port is what remains for traffic that is passed on as it is." },
    { use: "load-balancer", when: { protocol: layer4, count: ["one"] }, why: "One TCP or UDP service needs an address and a port, and nothing that routes." },
    { use: "load-balancer", when: { protocol: layer4, budget: ["each"] }, why: "An address for each service is the simplest, and keeps their failures apart." },
    { use: "shared-address", when: { protocol: layer4, where: ["aks", "metal", "home", "local"] }, why: "Here several LoadBalancer Services can stand on one address, each with ports of its own." },
    { use: "load-balancer", when: { protocol: layer4, where: ["gke"], count: ["few"] }, why: "On Google Cloud the first five forwarding rules cost as much together as one, so sharing saves nothing yet." },
    { use: "gateway-l4", when: { protocol: layer4 }, why: "One Gateway carries many TCP and UDP ports behind one load balancer." },
    { use: "load-balancer", when: { edge: ["none", "pass"], count: ["one"] }, why: "One service that gets its traffic unchanged needs nothing in between." },
    { use: "load-balancer", when: { edge: ["none", "pass"], count: ["few"], budget: ["each"], have: ["none"] }, why: "A few services that get their traffic unchanged, and an address for each is no problem." },
    { use: "tls-route", when: { edge: ["pass"], protocol: ["http"] }, why: "Several TLS services can share port 443 only by the host name in the TLS handshake (SNI)." },
    { use: "gateway-mixed", when: { edge: ["pass"] }, why: "One Gateway can pass TLS on by host name and carry the other ports beside it." },
    { use: "ingress-and-load-balancer", when: { protocol: ["several"], have: ["ingress"], teams: ["one"] }, why: "Your controller already serves HTTP; what is not HTTP cannot go through an Ingress." },
    { use: "ingress-and-load-balancer", when: { protocol: ["several"], where: ["home"], have: ["none"], teams: ["one"] }, why: "k3s brings Traefik for HTTP and ServiceLB for everything else." },
    { use: "gateway-and-load-balancer", when: { protocol: ["several"], where: ["eks", "gke"], budget: ["each"] }, why: "The cloud's own Gateway carries HTTP only, so the other ports get a LoadBalancer Service." },
    { use: "gateway-and-load-balancer", when: { protocol: ["several"], where: ["aks", "local"] }, why: "The platform's own Gateway serves HTTP, and a LoadBalancer Service costs little or nothing beside it." },
    { use: "gateway-mixed", when: { protocol: ["several"] }, why: "Only Gateway API puts HTTP, TCP and UDP on one entry." },
    { use: "ingress", when: { have: ["ingress"], teams: ["one"] }, why: "A maintained controller is there already, and the Ingress API stays supported." },
    { use: "ingress", when: { where: ["home"], have: ["none"], teams: ["one"] }, why: "k3s brings Traefik along, which serves an Ingress without further work." },
    { use: "gateway", when: {}, why: "Services behind one entry that routes by host and path or ends TLS: Gateway API is where Kubernetes develops this." },
  ];

  // Outcomes: title (the decision table uses the same words), manifest, commands before it, pages to read.
  const outcomes = {
    "cluster-ip": {
      title: "ClusterIP Service",
      manifest: (a) => apps(a).map((app) => service(app, "ClusterIP")),
      after: () => ["kubectl -n shop get svc"],
      links: [["What a ClusterIP Service is", "services/#services-clusterip"], ["Which ports it has", "ports/#ports-four"]],
    },
    "port-forward": {
      title: "kubectl port-forward",
      manifest: (a) => apps(a).map((app) => service(app, "ClusterIP")),
      after: (a) => apps(a).map((app, number) => `kubectl -n shop port-forward svc/${app.name} ${8080 + number}:${app.ports[0].port}`),
      links: [["port-forward or expose", "ports/#ports-port-forward"], ["Local development", "choosing/#choosing-local"]],
    },
    "host-port": {
      title: "Controller on host ports",
      before: () => [
        "helm repo add traefik https://traefik.github.io/charts",
        "helm install traefik traefik/traefik -n traefik --create-namespace \\\n  --set deployment.kind=DaemonSet --set updateStrategy.rollingUpdate.maxUnavailable=1 --set updateStrategy.rollingUpdate.maxSurge=0 \\\n  --set ports.web.hostPort=80 --set ports.websecure.hostPort=443 --set service.enabled=false",
      ],
      manifest: (a) => [...webApps(a).map((app) => service(app, "ClusterIP")), ingress(a, "traefik"), ...otherApps(a).map((app) => service(app, "NodePort"))],
      links: [["Exposing services for free", "cost/#cost-free"], ["A controller with hostPort", "bare-metal/#bare-metal-hostport"], ["The cheapest way", "choosing/#choosing-budget"]],
    },
    "node-port": {
      title: "NodePort Service",
      manifest: (a) => apps(a).map((app) => service(app, "NodePort")),
      after: () => ["kubectl -n shop get svc", "kubectl get nodes -o wide"],
      links: [["How to create a NodePort Service", "services/#services-nodeport"], ["Is NodePort good enough?", "choosing/#choosing-nodeport-production"], ["Exposing services for free", "cost/#cost-free"]],
    },
    "load-balancer": {
      title: "LoadBalancer Service",
      manifest: (a) => apps(a).map((app) => balancer(a, app)),
      after: () => ["kubectl -n shop get svc -w"],
      links: [["What a LoadBalancer Service creates", "loadbalancer/#loadbalancer-created"], ["When to use it", "choosing/#choosing-when-loadbalancer"], ["EXTERNAL-IP stays pending", "pending/"]],
    },
    "shared-address": {
      title: "LoadBalancer Services on one address",
      manifest: (a) => apps(a).map((app) => balancer(a, app, sharing[a.where])),
      after: () => ["kubectl -n shop get svc"],
      links: [["Several Services on one address", "loadbalancer-addresses/#lba-share"], ["What sharing saves", "cost/#cost-share-ip"], ["TCP services on one address", "tcp-udp/#tcp-udp-share-address"]],
    },
    "gateway-l4": {
      title: "Gateway with TCPRoute or UDPRoute",
      before: (a) => (a.where === "eks" || a.have === "gateway" ? [] : [envoyGateway]),
      manifest: (a) => {
        const kind = a.where === "eks" ? "aws-nlb" : "eg";
        const listeners = otherApps(a).map((app) => listener(a, app.name, app.ports[0].protocol, app.ports[0].port));
        return [...entry(a, kind, listeners), ...otherApps(a).flatMap((app) => [service(app, "ClusterIP"), layer4Route(a, app)])];
      },
      after: (a) => [`kubectl -n ${home(a)} get gateway`],
      links: [["A TCP port with a TCPRoute", "gateway-routes/#gwroute-tcp"], ["A UDP port with a UDPRoute", "gateway-routes/#gwroute-udp"], ["Who implements them", "gateway-install/#gwinst-l4-support"]],
    },
    "tls-route": {
      title: "Gateway with TLSRoute",
      before: (a) => (a.have === "gateway" ? [] : [envoyGateway]),
      manifest: (a) => [...entry(a, "eg", [passthrough(a)]), ...webApps(a).flatMap((app) => [service(app, "ClusterIP"), tlsRoute(a, app)])],
      after: (a) => [`kubectl -n ${home(a)} get gateway`],
      links: [["TLS passthrough with a TLSRoute", "gateway-routes/#gwroute-tls-passthrough"], ["When you need passthrough", "passthrough/#passthrough-what"], ["Passthrough with other controllers", "passthrough/#passthrough-other-controllers"]],
    },
    "gateway-mixed": {
      title: "One Gateway for HTTP, TCP and UDP",
      before: (a) => (a.have === "gateway" ? [] : [envoyGateway]),
      manifest: (a) => {
        const front = a.edge === "pass" ? [passthrough(a)] : webListeners(a, "eg");
        const others = otherApps(a).map((app) => listener(a, app.name, app.ports[0].protocol, app.ports[0].port));
        const web = webApps(a).flatMap((app) => [service(app, "ClusterIP"), a.edge === "pass" ? tlsRoute(a, app) : httpRoute(a, app)]);
        return [...entry(a, "eg", [...front, ...others]), ...web, ...otherApps(a).flatMap((app) => [service(app, "ClusterIP"), layer4Route(a, app)])];
      },
      after: (a) => [`kubectl -n ${home(a)} get gateway`],
      links: [["HTTP, TCP and UDP on one Gateway", "gateway-api/#gwapi-mixed-protocols"], ["HTTP and TCP or UDP together", "choosing/#choosing-mixed"], ["Who implements TCPRoute and UDPRoute", "gateway-install/#gwinst-l4-support"]],
    },
    "gateway-and-load-balancer": {
      title: "Gateway for HTTP, LoadBalancer Service for the rest",
      before: (a) => ready(a),
      manifest: (a) => [...webEntry(a), ...otherApps(a).map((app) => balancer(a, app))],
      after: (a) => [`kubectl -n ${home(a)} get gateway`, "kubectl -n shop get svc"],
      links: [["HTTP and TCP or UDP together", "choosing/#choosing-mixed"], ["A minimal Gateway and HTTPRoute", "gateway-api/#gwapi-minimal"], ["How to expose TCP", "tcp-udp/#tcp-udp-expose-tcp"]],
    },
    "ingress-and-load-balancer": {
      title: "Ingress for HTTP, LoadBalancer Service for the rest",
      manifest: (a) => [...webApps(a).map((app) => service(app, "ClusterIP")), ingress(a), ...otherApps(a).map((app) => balancer(a, app))],
      after: () => ["kubectl get ingressclass", "kubectl -n shop get ingress,svc"],
      links: [["HTTP and TCP or UDP together", "choosing/#choosing-mixed"], ["A minimal Ingress", "ingress/#ingress-minimal"], ["How to expose TCP", "tcp-udp/#tcp-udp-expose-tcp"]],
    },
    ingress: {
      title: "Ingress",
      manifest: (a) => [...webApps(a).map((app) => service(app, "ClusterIP")), ingress(a)],
      after: () => ["kubectl get ingressclass", "kubectl -n shop get ingress"],
      links: [["A minimal Ingress", "ingress/#ingress-minimal"], ["When to use an Ingress", "choosing/#choosing-when-ingress"], ["Class names of the controllers", "ingress-classes/#ingress-class-names"]],
    },
    gateway: {
      title: "Gateway with HTTPRoute",
      before: (a) => ready(a),
      manifest: (a) => webEntry(a),
      after: (a) => [`kubectl -n ${home(a)} get gateway`, "kubectl -n shop get httproute"],
      links: [["A minimal Gateway and HTTPRoute", "gateway-api/#gwapi-minimal"], ["Many HTTP services", "choosing/#choosing-many"], ["Which implementation", "gateway-install/#gwinst-choose"]],
    },
  };

  // Notes: every one that fits is shown. "use" limits a note to some outcomes.
  const gateways = ["gateway", "gateway-l4", "gateway-mixed", "gateway-and-load-balancer", "tls-route"];
  const balancers = ["load-balancer", "shared-address", "gateway-and-load-balancer", "ingress-and-load-balancer"];
  const inCluster = ["gateway-l4", "gateway-mixed", "tls-route"]; // these take class "eg" where the cloud has none
  const entries = [...new Set([...gateways, ...balancers, "ingress"])];
  const notes = [
    { use: entries, when: { where: ["eks"], who: ["public"] }, text: "On EKS the AWS Load Balancer Controller must run. Its load balancers are internal unless the manifest says internet-facing.", link: ["NLB on EKS", "eks-nlb/#eks-nlb-internet-facing"] },
    { use: entries, when: { where: ["eks"], who: ["private", "me"] }, text: "On EKS the AWS Load Balancer Controller must run; internal is its default, and the manifest says it all the same.", link: ["NLB on EKS", "eks-nlb/#eks-nlb-internet-facing"] },
    { use: ["gateway", "gateway-and-load-balancer", "gateway-l4"], when: { where: ["eks"] }, text: "Install the Gateway API CRDs and those of the controller first. A Gateway on AWS is an ALB or an NLB, never both.", link: ["Gateway API on EKS", "eks-nlb/#eks-nlb-gateway-setup"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { where: ["eks"], edge: ["layer7"] }, text: "Certificates of an AWS Gateway come from ACM, not from Secrets: replace the example ARN.", link: ["ACM certificates", "eks-nlb/#eks-nlb-gateway-acm"] },
    { use: ["ingress", "ingress-and-load-balancer"], when: { where: ["eks"] }, text: "Ingresses with the same group.name share one ALB. Whoever may create Ingresses can join the group. Certificates come from ACM.", link: ["IngressGroup", "eks-alb/#eks-alb-ingressgroup"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { where: ["gke"] }, text: "The Gateway API must be enabled on the cluster; GKE brings the CRDs and classes. They carry HTTP only.", link: ["GatewayClasses on GKE", "gke/#gke-gateway-classes"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { where: ["gke"], who: ["private", "me"] }, text: "The class gke-l7-rilb needs a proxy-only subnet in the region." },
    { use: ["ingress", "ingress-and-load-balancer"], when: { where: ["gke"] }, text: "GKE Ingress reads the annotation, not ingressClassName. With another controller set its class instead.", link: ["Class on GKE", "gke/#gke-ingress-class"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { where: ["aks"] }, text: "Enable application routing with the Gateway API on AKS; its managed NGINX gets patches only through November 2026.", link: ["Gateway API on AKS", "aks/#aks-app-routing-gateway"] },
    { use: balancers, when: { where: ["aks"] }, text: "All Services of an AKS cluster share one Standard Load Balancer; each adds rules and, unless shared, an address.", link: ["LoadBalancer Services on AKS", "aks/#aks-loadbalancer-service"] },
    { use: ["shared-address"], when: { where: ["aks"] }, text: "Create the first Service, then write its address into all of them; 192.0.2.10 is an example.", link: ["Sharing an address", "loadbalancer-addresses/#lba-share"] },
    { use: entries, when: { where: ["cloud"], who: ["private", "me"] }, text: "The annotation for an internal load balancer is DigitalOcean's; other clouds have their own.", link: ["Internal load balancers", "loadbalancer-addresses/#lba-internal"] },
    { use: entries, when: { where: ["cloud"], protocol: ["udp"] }, text: "DigitalOcean wants a TCP port for health checks beside UDP; Hetzner load balancers carry no UDP.", link: ["UDP on DigitalOcean", "other-clouds/#other-clouds-do-udp"] },
    { use: ["load-balancer"], when: { where: ["eks"], protocol: ["udp"] }, text: "An NLB checks UDP targets by TCP or HTTP: the pods need such a port, here 8080.", link: ["UDP on an NLB", "eks-nlb/#eks-nlb-udp"] },
    { use: ["gateway-l4"], when: { where: ["eks"], protocol: ["udp"] }, text: "An NLB checks UDP targets by TCP or HTTP: set a health check port for the pods in a TargetGroupConfiguration.", link: ["Health checks of an AWS Gateway", "eks-nlb/#eks-nlb-gateway-targets"] },
    { use: inCluster, when: { where: clouds }, text: "The Gateway's proxy stands behind one LoadBalancer Service, which must carry every protocol that you use: try UDP and mixed protocols on your cloud.", link: ["TCP and UDP in one Service", "loadbalancer/#loadbalancer-tcp-udp"], not: (a, use) => use === "gateway-l4" && a.where === "eks" },
    { use: entries, when: { where: ["metal"] }, text: "Something must hand out addresses: MetalLB, kube-vip or Cilium. The manifest names a MetalLB pool that you create.", link: ["Options on bare metal", "bare-metal/#bare-metal-options"] },
    { use: ["shared-address"], when: { where: ["metal"] }, text: "All Services with the same key and address must keep externalTrafficPolicy Cluster, or select the same pods.", link: ["Sharing a MetalLB address", "metallb/#metallb-share-ip"] },
    { use: [...balancers, "ingress"], when: { where: ["home"] }, text: "k3s gives every LoadBalancer Service the addresses of its nodes: ports must differ, and addresses need no plan.", link: ["ServiceLB in k3s", "k3s/#k3s-servicelb"] },
    { when: { where: ["home"], who: ["public"] }, text: "Forward the ports on your router. Behind CGNAT, or without open ports, use a tunnel.", link: ["From home to the internet", "home/#home-internet"] },
    { when: { where: ["home"], who: ["private"] }, text: "From elsewhere, a mesh VPN such as Tailscale reaches the cluster without open ports.", link: ["Tailscale", "home/#home-tailscale"] },
    { use: entries, when: { where: ["local"] }, text: "Run cloud-provider-kind (kind) or minikube tunnel (minikube), so that LoadBalancer Services get an address. Others reach your computer only through a tunnel.", link: ["Local development", "choosing/#choosing-local"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { where: ["local"] }, text: "The class cloud-provider-kind is kind's. On minikube install an implementation, such as Envoy Gateway.", link: ["Gateway API in minikube", "minikube/#minikube-gateway-api"] },
    { use: ["ingress", "ingress-and-load-balancer", "host-port"], when: { where: ["aks", "cloud", "metal", "home", "local"] }, text: "The class traefik is an example: kubectl get ingressclass shows yours." },
    { use: [...gateways], when: { have: ["gateway"] }, text: "Use the class of your implementation (kubectl get gatewayclass), and see whether it carries these kinds of routes.", link: ["Who implements what", "gateway-install/#gwinst-who-implements"] },
    { use: ["gateway", "gateway-mixed", "gateway-and-load-balancer"], when: { have: ["ingress"] }, text: "You need not change everything at once: the Ingress controller and Gateway API run side by side.", link: ["Move to Gateway API?", "choosing/#choosing-existing"] },
    { when: { have: ["nginx"] }, text: "The community ingress-nginx was retired in March 2026 and gets no fixes: plan its replacement.", link: ["The retirement", "ingress-nginx-retirement/#retirement-options"] },
    { use: gateways, when: { teams: ["several"] }, text: "The platform team owns the Gateway in the namespace infra; teams attach routes from the namespaces that it allows.", link: ["Teams and entries", "choosing/#choosing-teams"] },
    { use: [...balancers, "node-port"], when: { teams: ["several"] }, text: "Limit what teams may create with a ResourceQuota for services.loadbalancers and services.nodeports.", link: ["Keeping environments cheap", "cost/#cost-preview"] },
    { use: ["gateway-mixed"], when: { edge: ["layer7"] }, text: "The Secret shop-tls holds the certificate; cert-manager can fill it.", link: ["HTTPS on a Gateway", "tls/#tls-gateway-https"] },
    { use: ["gateway", "gateway-and-load-balancer"], when: { edge: ["layer7"], where: ["gke", "aks", "cloud", "metal", "home", "local"] }, text: "The Secret shop-tls holds the certificate; cert-manager can fill it.", link: ["HTTPS on a Gateway", "tls/#tls-gateway-https"] },
    { use: ["ingress", "ingress-and-load-balancer", "host-port"], when: { edge: ["layer7"], where: ["aks", "cloud", "metal", "home", "local", "gke"] }, text: "The Secret shop-tls holds the certificate; cert-manager can fill it.", link: ["HTTPS on an Ingress", "tls/#tls-enable-https"] },
    { when: { protocol: ["tcp"], edge: ["layer7"], who: ["public", "private"] }, text: "Plain TCP has no host names to route by: each service needs a port of its own. TLS can end at the entry where it has SNI or an own port.", link: ["TLS for TCP services", "tcp-udp/#tcp-udp-tls-terminate"] },
    { when: { protocol: ["udp"], edge: ["layer7", "pass"] }, text: "UDP has no host names or TLS at the entry: it is passed on as it is.", link: ["How to expose UDP", "tcp-udp/#tcp-udp-expose-udp"] },
    { use: ["load-balancer", "gateway-l4", "shared-address"], when: { protocol: ["tcp"], who: ["public"] }, text: "Never publish a database to the internet without TLS, an allow-list and a login.", link: ["Databases and brokers", "choosing/#choosing-database"] },
    { use: ["load-balancer"], when: { protocol: ["http"], edge: ["none"] }, text: "The Service does not encrypt: the pods serve HTTPS themselves, or the load balancer does where it can.", link: ["TLS at a LoadBalancer Service", "loadbalancer/#loadbalancer-tls"] },
    { use: ["gateway", "ingress", "host-port"], when: { edge: ["none"], count: ["few", "many"] }, text: "Several HTTP services on one address are told apart by host or path, so the entry routes though you did not ask for it.", link: ["Many HTTP services", "choosing/#choosing-many"] },
    { use: ["load-balancer"], when: { protocol: ["several"] }, text: "One Service may have several ports. TCP and UDP together depend on the load balancer.", link: ["TCP and UDP in one Service", "loadbalancer/#loadbalancer-tcp-udp"] },
    { use: ["gateway-mixed", "gateway-and-load-balancer", "ingress-and-load-balancer", "host-port"], when: { protocol: ["several"] }, text: "The example has MQTT on TCP 1883. For UDP write protocol UDP, and UDPRoute instead of TCPRoute.", link: ["UDPRoute", "gateway-routes/#gwroute-udp"] },
    { use: ["load-balancer", "gateway-and-load-balancer", "ingress-and-load-balancer"], when: { where: ["eks", "cloud"], count: ["few", "many"] }, text: "Each LoadBalancer Service is a load balancer with a price of its own.", link: ["The cost calculator", "calculator/#calculator-tool"] },
    { use: ["port-forward"], when: { protocol: ["several"] }, text: "kubectl port-forward carries TCP only; for UDP use a LoadBalancer Service of a local cluster." },
    { use: ["load-balancer", "shared-address", "gateway-l4", "node-port"], when: { who: ["me"], protocol: ["udp"] }, text: "kubectl port-forward carries TCP only, so UDP needs an address even for one person; it is a private one here." },
    { use: ["host-port", "node-port"], when: {}, text: "Clients need the address of a node, and a node that dies takes the entry with it. Open the ports in the firewall; public nodes have a public IPv4 address, which may cost money.", link: ["What is free, and what you give up", "cost/#cost-free"] },
    { use: ["host-port", "node-port"], when: { who: ["private", "me"] }, text: "Use the nodes' private addresses, and let the firewall admit only your network." },
    { use: ["cluster-ip"], when: { teams: ["several"] }, text: "A NetworkPolicy says which namespaces may call it.", link: ["Access control", "access-control/"] },
    { when: { who: ["private"] }, text: "Keep internal and public services on separate entries.", link: ["Internal tools", "choosing/#choosing-internal"] },
  ];

  // The decision.
  function fits(conditions, answers) {
    return Object.entries(conditions).every(([question, allowed]) => allowed.includes(answers[question]));
  }

  function recommend(answers) {
    const rule = rules.find((one) => fits(one.when, answers));
    const outcome = outcomes[rule.use];
    const said = notes.filter((note) => (!note.use || note.use.includes(rule.use)) && fits(note.when, answers) && !(note.not && note.not(answers, rule.use)));
    return {
      use: rule.use,
      title: outcome.title,
      why: rule.why,
      notes: said.map((note) => ({ text: note.text, link: note.link || null })),
      before: outcome.before ? outcome.before(answers) : [],
      manifest: outcome.manifest(answers).map(yaml).join("---\n"),
      after: outcome.after ? outcome.after(answers) : [],
      links: outcome.links,
    };
  }

  // Manifests, as plain objects: the example services, Services, entries and routes.
  const envoyGateway = "helm install eg oci://docker.io/envoyproxy/gateway-helm --version v1.9.0 -n envoy-gateway-system --create-namespace";
  const sharing = {
    aks: { "service.beta.kubernetes.io/azure-load-balancer-ipv4": "192.0.2.10" },
    metal: { "metallb.io/allow-shared-ip": "shop", "metallb.io/loadBalancerIPs": "192.0.2.10" },
  };
  const arn = "arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555";
  const exampleApps = {
    web: { name: "web", host: "shop.example.com", ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }] },
    api: { name: "api", host: "api.example.com", ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }] },
    mqtt: { name: "mqtt", ports: [{ name: "mqtt", protocol: "TCP", port: 1883 }] },
    postgres: { name: "postgres", ports: [{ name: "postgres", protocol: "TCP", port: 5432 }] },
    dns: { name: "dns", ports: [{ name: "dns", protocol: "UDP", port: 53 }] },
    game: { name: "game", ports: [{ name: "game", protocol: "UDP", port: 7777 }] },
  };
  const https = [{ name: "https", protocol: "TCP", port: 443, targetPort: 8443 }];

  function webApps(a) {
    if (layer4.includes(a.protocol)) return [];
    const found = a.count === "one" ? [exampleApps.web] : [exampleApps.web, exampleApps.api];
    return a.edge === "pass" ? found.map((app) => ({ ...app, ports: https })) : found;
  }

  function otherApps(a) {
    if (a.protocol === "http") return [];
    if (a.protocol === "several") return [exampleApps.mqtt];
    const found = a.protocol === "udp" ? [exampleApps.dns, exampleApps.game] : [exampleApps.mqtt, exampleApps.postgres];
    return a.count === "one" ? found.slice(0, 1) : found;
  }

  function apps(a) {
    if (a.protocol !== "several" || a.count !== "one") return [...webApps(a), ...otherApps(a)];
    const [web] = webApps(a); // one service that has both kinds of ports
    return [{ ...web, ports: [...web.ports, ...exampleApps.mqtt.ports] }];
  }

  const reach = (a) => (a.who === "public" ? "public" : "private");
  const home = (a) => (a.teams === "several" ? "infra" : "shop"); // the namespace of the entry

  function service(app, type, extra) {
    const found = extra || {};
    const metadata = { name: app.name, namespace: "shop", annotations: found.annotations };
    return { apiVersion: "v1", kind: "Service", metadata: metadata, spec: { type: type, loadBalancerClass: found.class, selector: { app: app.name }, ports: app.ports } };
  }

  function balancer(a, app, more) {
    const platform = platforms[a.where][reach(a)];
    const annotations = { ...platform.annotations, ...more };
    const health = { name: "health", protocol: "TCP", port: 8080 };
    const onlyUdp = app.ports.every((port) => port.protocol === "UDP");
    if (onlyUdp && a.where === "eks") annotations[aws + "healthcheck-port"] = "8080";
    const ports = onlyUdp && a.where === "cloud" ? [...app.ports, health] : app.ports;
    return service({ ...app, ports: ports }, "LoadBalancer", { class: platform.class, annotations: Object.keys(annotations).length ? annotations : undefined });
  }

  function ingress(a, name) {
    const kind = name || platforms[a.where].ingress;
    const encrypted = a.edge === "layer7";
    const annotations = {};
    if (kind === "alb") {
      annotations["alb.ingress.kubernetes.io/group.name"] = "shop";
      annotations["alb.ingress.kubernetes.io/scheme"] = a.who === "public" ? "internet-facing" : "internal";
      annotations["alb.ingress.kubernetes.io/target-type"] = "ip";
      if (encrypted) annotations["alb.ingress.kubernetes.io/certificate-arn"] = arn;
    }
    if (kind === null) annotations["kubernetes.io/ingress.class"] = a.who === "public" ? "gce" : "gce-internal";
    const rule = (app) => ({ host: app.host, http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: app.name, port: { number: 80 } } } }] } });
    const tls = encrypted && kind !== "alb" ? [{ hosts: webApps(a).map((app) => app.host), secretName: "shop-tls" }] : undefined;
    const metadata = { name: "shop", namespace: "shop", annotations: Object.keys(annotations).length ? annotations : undefined };
    return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: metadata, spec: { ingressClassName: kind || undefined, tls: tls, rules: webApps(a).map(rule) } };
  }

  // A Gateway, and the class and parameters that it needs.
  function entry(a, name, listeners) {
    const made = [];
    const infrastructure = {};
    if (name.startsWith("aws-")) {
      made.push(gatewayClass(name, "gateway.k8s.aws/" + name.slice("aws-".length)), awsConfiguration(a, listeners));
      infrastructure.parametersRef = { group: "gateway.k8s.aws", kind: "LoadBalancerConfiguration", name: "edge" };
    } else if (!name.startsWith("gke-")) {
      infrastructure.annotations = platforms[a.where][reach(a)].annotations;
    }
    if (name === "eg" && a.have !== "gateway") made.push(gatewayClass("eg", "gateway.envoyproxy.io/gatewayclass-controller"));
    const some = infrastructure.annotations || infrastructure.parametersRef;
    const spec = { gatewayClassName: name, infrastructure: some ? infrastructure : undefined, listeners: listeners };
    return [...made, gatewayObject("Gateway", "edge", home(a), spec)];
  }

  function gatewayObject(kind, name, namespace, spec) {
    return { apiVersion: "gateway.networking.k8s.io/v1", kind: kind, metadata: { name: name, namespace: namespace }, spec: spec };
  }

  function gatewayClass(name, controller) {
    return gatewayObject("GatewayClass", name, undefined, { controllerName: controller });
  }

  function awsConfiguration(a, listeners) {
    const encrypted = listeners.some((one) => one.protocol === "HTTPS");
    const spec = {
      scheme: a.who === "public" ? "internet-facing" : "internal",
      listenerConfigurations: encrypted ? [{ protocolPort: "HTTPS:443", defaultCertificate: arn }] : undefined,
    };
    return { apiVersion: "gateway.k8s.aws/v1", kind: "LoadBalancerConfiguration", metadata: { name: "edge", namespace: home(a) }, spec: spec };
  }

  function listener(a, name, protocol, port, tls) {
    const others = { namespaces: { from: "Selector", selector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["shop", "blog"] }] } } };
    return { name: name, protocol: protocol, port: port, tls: tls, allowedRoutes: a.teams === "several" ? others : undefined };
  }

  function webListeners(a, name) {
    if (a.edge !== "layer7") return [listener(a, "http", "HTTP", 80)];
    const tls = name === "aws-alb" ? undefined : { certificateRefs: [{ name: "shop-tls" }] }; // AWS takes certificates from ACM only
    return [listener(a, "https", "HTTPS", 443, tls)];
  }

  const passthrough = (a) => listener(a, "tls", "TLS", 443, { mode: "Passthrough" });

  function webEntry(a) {
    const name = platforms[a.where].gateway[reach(a)];
    return [...entry(a, name, webListeners(a, name)), ...webApps(a).flatMap((app) => [service(app, "ClusterIP"), httpRoute(a, app)])];
  }

  function ready(a) {
    return platforms[a.where].gateway[reach(a)] === "eg" && a.have !== "gateway" ? [envoyGateway] : [];
  }

  function parent(a, section) {
    return [{ name: "edge", namespace: a.teams === "several" ? home(a) : undefined, sectionName: section }];
  }

  function httpRoute(a, app) {
    const section = a.edge === "layer7" ? "https" : "http";
    return gatewayObject("HTTPRoute", app.name, "shop", { parentRefs: parent(a, section), hostnames: [app.host], rules: [{ backendRefs: [{ name: app.name, port: 80 }] }] });
  }

  function tlsRoute(a, app) {
    return gatewayObject("TLSRoute", app.name, "shop", { parentRefs: parent(a, "tls"), hostnames: [app.host], rules: [{ backendRefs: [{ name: app.name, port: 443 }] }] });
  }

  function layer4Route(a, app) {
    const [port] = app.ports;
    return gatewayObject(port.protocol + "Route", app.name, "shop", { parentRefs: parent(a, app.name), rules: [{ backendRefs: [{ name: app.name, port: port.port }] }] });
  }

  // Plain objects as YAML: what these manifests need of it.
  function yaml(value) {
    return lines(JSON.parse(JSON.stringify(value))).join("\n") + "\n"; // JSON drops what is undefined
  }

  function lines(value) {
    if (Array.isArray(value)) return value.flatMap((item) => indented(lines(item), "- "));
    if (value === null || typeof value !== "object") return [scalar(value)];
    return Object.entries(value).flatMap(([key, item]) => {
      if (Array.isArray(item) && item.every((one) => typeof one === "string")) return [`${key}: [${item.map(scalar).join(", ")}]`];
      return item !== null && typeof item === "object" ? [key + ":", ...indented(lines(item), "  ")] : [`${key}: ${scalar(item)}`];
    });
  }

  function indented(inner, first) {
    return inner.map((line, number) => (number ? "  " : first) + line);
  }

  function scalar(value) {
    const plain = typeof value !== "string" || (/^[A-Za-z][\w./:-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value));
    return plain ? String(value) : JSON.stringify(value);
  }

  // The page. Answers stand in the address (?where=eks&who=public…), so that it can be shared.
  const say = {
    missing: "Still to answer: ",
    found: "Recommendation: ",
    share: "The address of this page holds your answers: copy it to share them.",
    before: "First",
    manifest: "Manifest",
    apply: "Save it as shop.yaml, put in your own names, and apply it with kubectl apply -f shop.yaml.",
    after: "Then",
    links: "Read on",
    why: "Why",
    copy: "Copy",
    copied: "Copied",
    again: "Start over",
  };

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  }

  function usual() {
    return Object.fromEntries(questions.filter((question) => question.usual).map((question) => [question.id, question.usual]));
  }

  function fromAddress() {
    const given = new URLSearchParams(location.search);
    const known = questions.filter((question) => question.answers.some(([value]) => value === given.get(question.id)));
    return { ...usual(), ...Object.fromEntries(known.map((question) => [question.id, given.get(question.id)])) };
  }

  function toAddress(answers) {
    const address = new URL(location.href);
    questions.forEach((question) => (answers[question.id] ? address.searchParams.set(question.id, answers[question.id]) : address.searchParams.delete(question.id)));
    history.replaceState(history.state, "", address);
  }

  function asked(question, chosen) {
    const options = question.answers.map(([value, text]) =>
      make("label", { class: "tools-option" }, make("input", { type: "radio", name: question.id, value: value, checked: chosen === value }), make("span", {}, text))
    );
    return make("fieldset", {}, make("legend", {}, question.text), ...options);
  }

  function code(label, text) {
    const button = make("button", { type: "button", class: "tools-button", "aria-label": `${say.copy}: ${label}` }, say.copy);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = say.copied;
    });
    const block = make("pre", { tabindex: "0", role: "region", "aria-label": label }, make("code", {}, text));
    return make("div", { class: "tools-code" }, make("div", { class: "tools-code-head" }, make("h4", {}, label), button), block);
  }

  const linked = ([text, path]) => make("a", { href: new URL(path, root).href }, text);

  function shown(found) {
    const reasons = [make("li", {}, found.why)];
    found.notes.forEach((note) => reasons.push(make("li", {}, note.text, ...(note.link ? [" ", linked(note.link), "."] : []))));
    return [
      make("h3", {}, found.title),
      make("h4", {}, say.why),
      make("ul", { class: "tools-why" }, ...reasons),
      ...(found.before.length ? [code(say.before, found.before.join("\n") + "\n")] : []),
      code(say.manifest, found.manifest),
      make("p", {}, say.apply),
      ...(found.after.length ? [code(say.after, found.after.join("\n") + "\n")] : []),
      make("h4", {}, say.links),
      make("ul", { class: "tools-links" }, ...found.links.map((link) => make("li", {}, linked(link)))),
      make("p", {}, say.share),
    ];
  }

  function mount() {
    const host = document.getElementById("chooser");
    if (!host || host.dataset.ready) return;
    host.dataset.ready = "yes";
    const start = fromAddress();
    const status = make("p", { role: "status", "aria-live": "polite", class: "tools-status" });
    const result = make("section", { class: "tools-result", "aria-label": "Result" });
    const fields = make("div", { class: "tools-fields" }, ...questions.map((question) => asked(question, start[question.id])));
    const again = make("button", { type: "reset", class: "tools-button" }, say.again);
    const form = make("form", { class: "tools-form", "aria-label": "Questions" }, fields, again);

    const update = () => {
      const answers = Object.fromEntries(new FormData(form));
      const open = questions.filter((question) => !answers[question.id]);
      const found = open.length ? null : recommend(answers);
      result.hidden = !found;
      result.replaceChildren(...(found ? shown(found) : []));
      status.textContent = found ? say.found + found.title + "." : say.missing + open.map((question) => question.text).join(" ");
      return answers;
    };
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => toAddress(update()));
    form.addEventListener("keydown", (event) => event.stopPropagation()); // the theme's shortcuts are for readers
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      form.querySelectorAll("input").forEach((input) => (input.checked = usual()[input.name] === input.value));
      update();
      toAddress({});
      form.querySelector("input").focus();
    });
    host.replaceChildren(form, status, result);
    update();
  }

  window.portsideChooser = { questions: questions, rules: rules, outcomes: outcomes, recommend: recommend };
  if (window.document$ && window.document$.subscribe) window.document$.subscribe(mount); // Material: after every instant navigation
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
