"""Reads Kubernetes manifests (https://kubernetes.io/docs/reference/kubernetes-api/): those given are one deployment.

Workloads become applications, one a container; Services give them their names, and with Ingresses lead to them.
ConfigMaps and Secrets that are among the manifests are put in; of a Secret nothing is ever shown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zep_conformance.deployment_files.belonging import settle
from zep_conformance.deployment_files.located import Place, Table, items, table, tables, text
from zep_conformance.deployment_files.model import (
    Application,
    HealthCheck,
    Image,
    Mount,
    Opening,
    PlannedDeployment,
    Value,
    role_of,
)
from zep_conformance.deployment_files.sources import Source, Sources
from zep_conformance.deployment_files.zep_config import configure

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod", "Job")
_PUBLIC = ("LoadBalancer", "NodePort")
_ROUTES = ("Ingress", "HTTPRoute", "TCPRoute", "IngressRoute", "IngressRouteTCP", "VirtualService", "Route")
_CLUSTER = frozenset({"the cluster"})
_GUARD = re.compile(
    r"auth-(type|url|signin|secret|tls)|authelia|oauth|basic-?auth|whitelist-source|allow-?list", re.IGNORECASE
)
_INTERNAL = re.compile(r"internal", re.IGNORECASE)
_EXPANDED = re.compile(r"\$\((\w+)\)")


@dataclass
class _Service:
    """A Service. ports: what each of its ports, by number and by name, leads to inside: a number or a port's name."""

    name: str
    namespace: str
    entry: Table
    ports: dict[str, str] = field(default_factory=dict)

    @property
    def selector(self) -> dict[str, str]:
        """The labels of the pods that it leads to."""
        return {key: text(value) for key, value in table(table(self.entry.get("spec")).get("selector")).items()}

    def names(self) -> set[str]:
        """Return by which names pods reach it."""
        inside = f"{self.name}.{self.namespace}"
        return {self.name, inside, f"{inside}.svc", f"{inside}.svc.cluster.local"}


def read_manifests(files: Sequence[Source], sources: Sources) -> PlannedDeployment:
    """Return the applications of these manifests."""
    objects = [one for source in files for one in tables(source.document.get("items"))]
    reader = _Reader(objects)
    project = PlannedDeployment(
        kind="kubernetes",
        files=tuple(source.name for source in files),
        applications=[made for one in objects for made in reader.workload(one)],
        place=Place(files[0].name),
    )
    settle(project)
    for one in project.applications:
        reader.lead(one)
        configure(one, sources)
    return project


def _name(entry: Table) -> str:
    return text(table(entry.get("metadata")).get("name"))


def _namespace(entry: Table) -> str:
    return text(table(entry.get("metadata")).get("namespace")) or "default"


class _Reader:
    def __init__(self, objects: Sequence[Table]) -> None:
        self._kept = {(text(one.get("kind")), _namespace(one), _name(one)): one for one in objects}
        self._services = [self._service(one) for one in objects if text(one.get("kind")) == "Service"]
        self._routes = [one for one in objects if text(one.get("kind")) in _ROUTES]
        self._pods: dict[str, tuple[Table, Table, str]] = {}

    def _service(self, entry: Table) -> _Service:
        made = _Service(_name(entry), _namespace(entry), entry)
        for port in tables(table(entry.get("spec")).get("ports")):
            inside = text(port.get("targetPort")) or text(port.get("port"))
            made.ports |= {name: inside for name in (text(port.get("port")), text(port.get("name"))) if name}
        return made

    def workload(self, entry: Table) -> Iterator[Application]:
        """Yield the applications that an object makes: one for each container of its pods."""
        kind = text(entry.get("kind"))
        spec = table(entry.get("spec"))
        if kind == "CronJob":
            spec = table(table(spec.get("jobTemplate")).get("spec"))
        elif kind not in _WORKLOADS:
            return
        template = entry if kind == "Pod" else table(spec.get("template"))
        pod = table(template.get("spec"))
        containers = tables(pod.get("containers"))
        for container in containers:
            name = _name(entry) if len(containers) == 1 else text(container.get("name"))
            yield self._application(name, kind, entry, template, container, spec)

    def _application(
        self, name: str, kind: str, entry: Table, template: Table, container: Table, spec: Table
    ) -> Application:
        pod, namespace = table(template.get("spec")), _namespace(entry)
        reference = text(container.get("image"))
        image = Image.of(reference) if reference else None
        made = Application(
            name=name,
            place=table(entry.get("metadata")).place_of("name"),
            type=kind.lower(),
            image=image,
            image_place=container.place_of("image"),
            networks=_CLUSTER,
            joins=_CLUSTER,
            shares="" if kind == "Pod" and not _name(entry) else f"pod {_name(entry)}",
            restarts=text(pod.get("restartPolicy")) in ("", "Always", "OnFailure"),
        )
        self._tell(made, container, namespace)
        made.role = role_of(name, image, made.variables)
        words = [*items(container.get("command")), *items(container.get("args"))]
        made.command = tuple(text(one) for one in words)
        ports = tables(container.get("ports"))
        made.exposes = frozenset(text(port.get("containerPort")) for port in ports)
        made.health = list(self._health(container))
        made.mounts = list(self._mounts(container, pod, spec, namespace))
        limits = table(table(container.get("resources")).get("limits"))
        made.memory, made.share = text(limits.get("memory")), text(limits.get("cpu"))
        made.cores_place = limits.place_of("cpu")
        labels = {key: text(value) for key, value in table(table(template.get("metadata")).get("labels")).items()}
        leading = [one for one in self._services if one.namespace == namespace and _selects(one.selector, labels)]
        made.hosts = frozenset(name.lower() for one in leading for name in one.names())
        if kind == "StatefulSet":
            made.hosts |= {f"{_name(entry)}-0.{host}" for host in made.hosts}
        for one in leading:
            for host in made.hosts:
                if one.name in host.split("."):
                    made.leads[host] = {port: _number(inside, container) for port, inside in one.ports.items()}
        links = text(pod.get("enableServiceLinks")).lower() != "false"
        made.linked = frozenset(one.name for one in self._services if links and one.namespace == namespace)
        self._pods[name] = (entry, container, namespace)
        return made

    def lead(self, made: Application) -> None:
        """Note by which Services and routes an application is reached from outside."""
        if made.name not in self._pods:
            return
        _, container, namespace = self._pods[made.name]
        names = {host for host in made.hosts if "." not in host}
        for one in self._services:
            if one.name.lower() not in names or one.namespace != namespace:
                continue
            spec = table(one.entry.get("spec"))
            annotations = " ".join(f"{key}={text(value)}" for key, value in _annotations(one.entry).items())
            for port in tables(spec.get("ports")) if text(spec.get("type")) in _PUBLIC else []:
                inside = _number(text(port.get("targetPort")) or text(port.get("port")), container)
                if self._is_of(made, inside):
                    outside = text(port.get("nodePort" if text(spec.get("type")) == "NodePort" else "port"))
                    private = bool(_INTERNAL.search(annotations)) or bool(items(spec.get("loadBalancerSourceRanges")))
                    made.openings.append(
                        Opening(place=port.place, outside=outside or "any", inside=inside, private=private)
                    )
        for route in self._routes:
            for service, asked, place in _backends(route):
                if service.lower() in names and _namespace(route) == namespace:
                    leading = next((one for one in self._services if one.name == service), None)
                    inside = _number((leading.ports.get(asked) if leading else "") or asked, container)
                    by = f"{text(route.get('kind'))} {_name(route)}"
                    guarded = bool(
                        _GUARD.search(" ".join([*_annotations(route), *map(text, _annotations(route).values())]))
                    )
                    opening = Opening(place=place, outside="443", inside=inside, by=by, guarded=guarded)
                    made.openings += [opening] if self._is_of(made, inside) else []

    def _is_of(self, made: Application, port: str) -> bool:
        """Whether a port of a pod is this container's: of one that is alone in it each is."""
        entry = self._pods[made.name][0]
        alone = sum(of is entry for of, *_ in self._pods.values()) == 1
        return alone or port in made.exposes or port == made.port

    def _tell(self, made: Application, container: Table, namespace: str) -> None:
        """Its variables: of what it takes whole, then its own."""
        for source in tables(container.get("envFrom")):
            prefix = text(source.get("prefix"))
            for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if key not in source:
                    continue
                found = self._kept.get((kind, namespace, text(table(source.get(key)).get("name"))))
                if found is None:
                    made.variables_unseen = True
                    continue
                made.variables |= {prefix + name: value for name, value in _data(found)}
        for one in tables(container.get("env")):
            name, place = text(one.get("name")), one.place_of("value" if "value" in one else "name")
            if not name:
                continue
            value = Value(place=place, text=text(one.get("value")), written=text(one.get("value")))
            if "valueFrom" in one:
                value = self._referred(table(one.get("valueFrom")), namespace, place)
            made.variables[name] = self._expanded(value, made.variables)

    def _referred(self, source: Table, namespace: str, place: Place) -> Value:
        for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if key in source:
                of = table(source.get(key))
                found = self._kept.get((kind, namespace, text(of.get("name"))))
                return dict(_data(found)).get(text(of.get("key")), Value(place=place)) if found else Value(place=place)
        return Value(place=place)

    def _expanded(self, value: Value, known: Mapping[str, Value]) -> Value:
        """Return a value with $(NAME) put in; not known where what is put in is not."""
        names = _EXPANDED.findall(value.text or "")
        put_in = {name: known[name] for name in names if name in known}
        if any(one.text is None for one in put_in.values()):
            return replace(
                value, text=_EXPANDED.sub(lambda found: _told(put_in.get(found[1]), found[0]), value.text or "")
            )
        return replace(
            value,
            text=None
            if value.text is None
            else _EXPANDED.sub(lambda found: _told(put_in.get(found[1]), found[0]), value.text),
        )

    def _health(self, container: Table) -> Iterator[HealthCheck]:
        for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
            probe = table(container.get(kind))
            asked, command = table(probe.get("httpGet")), table(probe.get("exec")).get("command")
            place = container.place_of(kind)
            if asked:
                port = _number(text(asked.get("port")), container)
                yield HealthCheck(place=place, way="http", path=text(asked.get("path")) or "/", port=port)
            elif "tcpSocket" in probe:
                yield HealthCheck(
                    place=place, way="tcp", port=_number(text(table(probe["tcpSocket"]).get("port")), container)
                )
            elif command is not None:
                yield HealthCheck(place=place, way="command", command=("CMD", *(text(one) for one in items(command))))

    def _mounts(self, container: Table, pod: Table, spec: Table, namespace: str) -> Iterator[Mount]:
        volumes = {text(one.get("name")): one for one in tables(pod.get("volumes"))}
        claims = {text(table(one.get("metadata")).get("name")) for one in tables(spec.get("volumeClaimTemplates"))}
        for one in tables(container.get("volumeMounts")):
            name, folder, sub = (text(one.get(key)) for key in ("name", "mountPath", "subPath"))
            volume = volumes.get(name, Table())
            if name in claims or volume.keys() & {"persistentVolumeClaim", "hostPath", "nfs", "csi", "ephemeral"}:
                yield Mount(folder, False, one.place)
            for kind, key, named in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
                if key not in volume:
                    continue
                found = self._kept.get((kind, namespace, text(table(volume.get(key)).get(named))))
                if found is None:
                    yield Mount(folder, False, one.place)
                    continue
                called = {
                    text(item.get("key")): text(item.get("path"))
                    for item in tables(table(volume.get(key)).get("items"))
                }
                for data, value in _data(found):
                    path = called.get(data, "" if called else data)
                    if path and (not sub or sub == path):
                        where = folder if sub else f"{folder.rstrip('/')}/{path}"
                        yield Mount(where, False, value.place, content=value.text, text=value.text)


def _annotations(entry: Table) -> Table:
    return table(table(entry.get("metadata")).get("annotations"))


def _told(value: Value | None, written: str) -> str:
    """Return what is put in for $(NAME): ${NAME} where it is not known."""
    if value is None:
        return written
    return value.text if value.text is not None else "${" + written[2:-1] + "}"


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _number(port: str, container: Table) -> str:
    """Return the number of a port that may be given by its name in the container."""
    for one in tables(container.get("ports")):
        if text(one.get("name")) == port:
            return text(one.get("containerPort"))
    return port


def _data(entry: Table) -> Iterator[tuple[str, Value]]:
    """Yield what a ConfigMap or a Secret holds; what is in base64, decoded."""
    is_secret = text(entry.get("kind")) == "Secret"
    for kind in ("data", "stringData"):
        held = table(entry.get(kind))
        for key, value in held.items():
            written: str | None = text(value)
            if is_secret and kind == "data":
                try:
                    written = base64.b64decode("".join(text(value).split()), validate=True).decode()
                except (binascii.Error, UnicodeDecodeError, ValueError):
                    written = None
            yield key, Value(place=held.place_of(key), text=written, written=written or "")


def _backends(route: Table) -> Iterator[tuple[str, str, Place]]:
    """Yield the Services that a route leads to, each with its port, by number or by name."""
    pending: list[object] = [route.get("spec")]
    while pending:
        one = pending.pop()
        if isinstance(one, Table):
            service = one.get("service")
            if isinstance(service, Table):
                port = table(service.get("port"))
                yield text(service.get("name")), text(port.get("number")) or text(port.get("name")), one.place
            if "serviceName" in one:
                yield text(one.get("serviceName")), text(one.get("servicePort")), one.place
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    for key in ("backendRefs", "services"):
        yield from _named(route.get("spec"), key)
    to = table(table(route.get("spec")).get("to"))
    if text(to.get("kind")) == "Service":
        yield text(to.get("name")), text(table(table(route.get("spec")).get("port")).get("targetPort")), to.place


def _named(within: object, key: str) -> Iterator[tuple[str, str, Place]]:
    """Yield what lists of this key name, wherever they stand."""
    for one in tables(within) if not isinstance(within, Table) else [within]:
        for backend in tables(one.get(key)):
            yield text(backend.get("name")), text(backend.get("port")), backend.place
        for value in one.values():
            yield from _named(value, key)
