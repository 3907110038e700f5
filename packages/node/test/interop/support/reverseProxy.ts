/** nginx and HAProxy in front of a server, as ordinary processes with a configuration of their own. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { type Ended, folder, startOnFreePort } from "./program.js"

/** Starts it in front of a port of this machine: its own port. */
export type ReverseProxy = (upstream: number) => Effect.Effect<number, Ended, Scope.Scope>

const nginxConf = (port: number, upstream: number): string => `
daemon off;
pid pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}
`

const haproxyConf = (port: number, upstream: number): string => `
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
listen proxy
  bind 127.0.0.1:${port}
  server sluice 127.0.0.1:${upstream}
`

/** A file in a folder of its own. */
const written = (name: string, content: string) =>
  Effect.flatMap(folder, (path) =>
    Effect.as(
      Effect.promise(() => writeFile(join(path, name), content)),
      path
    )
  )

export const nginx: ReverseProxy = (upstream) =>
  startOnFreePort(
    (port) =>
      Effect.map(written("nginx.conf", nginxConf(port, upstream)), (path) => ({
        words: ["/usr/sbin/nginx", "-e", "stderr", "-p", path, "-c", "nginx.conf"]
      })),
    /start worker process /
  )

export const haproxy: ReverseProxy = (upstream) =>
  startOnFreePort(
    (port) =>
      Effect.map(written("haproxy.cfg", haproxyConf(port, upstream)), (path) => ({
        words: ["/usr/sbin/haproxy", "-W", "-db", "-f", join(path, "haproxy.cfg")]
      })),
    /Loading success/
  )
