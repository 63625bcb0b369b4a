create table orders(id integer primary key, customer text, amount real, note text);
create index by_customer on orders(customer);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
insert into orders select i, 'customer ' || (i * 7919 % 500), i * 37 % 1000 / 10.0,
  substr('a note of some length about this order, or none at all', 1, i % 50) from n;
commit;
select customer, count(*), sum(amount) from orders group by customer order by 3 desc limit 5;
update orders set amount = amount * 1.1 where customer like 'customer 1%';
delete from orders where id % 10 = 0;
select count(*), avg(length(note)) from orders where amount > 20;
