-- Every collection is in one table: a collection needs no migration of its own, as in a document
-- store. Ids are compared byte by byte, so that pages have the same order whatever the locale is.

CREATE TABLE documents (
    collection text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    body       jsonb NOT NULL CONSTRAINT documents_body_is_an_object CHECK (jsonb_typeof(body) = 'object'),
    version    bigint NOT NULL CONSTRAINT documents_version_from_one CHECK (version >= 1),
    PRIMARY KEY (collection, id)
);
